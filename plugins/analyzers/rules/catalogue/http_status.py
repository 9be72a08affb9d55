"""Failures that the called service answers with an HTTP status."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.looks import http_status as look
from plugins.analyzers.rules.retries import retry_if_repeatable, slow_down
from plugins.analyzers.rules.rule import Fix, Pattern, Rule, regex, text

_BILLING = regex(
    r"quota|billing|plan and billing|insufficient[_ ](?:quota|funds|credits)|out of credits|credit balance"
    r"|(?:daily|weekly|monthly|yearly|per[- ](?:day|week|month)|24[- ]hour)\b[^.\n]{0,40}(?:limit|cap|allowance|quota)"
    r"|(?:limit|cap|allowance|calls|requests)\b[^.\n]{0,25}(?:per|a|this|for the|of the|each) (?:day|week|month|year)"
    r"|upgrade your plan|free tier|midnight|tomorrow|next (?:day|month|billing)|credits? (?:used|exhausted|remaining: 0)"
)

_USED_UP = regex(r"quota ?(?:has been )?exceeded|exceeded[^.\n]{0,30}quota|insufficient_quota|(?:daily|monthly) limit exceeded")
_TOO_FAST = regex(
    r"rate[ _-]?limit|too many (?:requests|calls)|throttl|request limit (?:exceeded|reached)|slow down|TooManyRequests"
)

_CALL_OWNER = text("Ask the service's owner", "راجع مالك الخدمة")

_RETRY_TITLE = text("Let the node try again", "اجعل العقدة تعيد المحاولة")

RULES: Sequence[Rule] = (
    Rule(
        id="http-unauthorized",
        cause=Cause.BAD_CREDENTIALS,
        prior=0.95,
        rank=50,
        when=(Pattern(codes=frozenset(("401", "407"))), Pattern(failure_causes=frozenset(("credential-invalid",)))),
        summary=text(
            "The service refused the credentials of ‘{node}’.", "رفضت الخدمة بيانات الاعتماد التي تستخدمها العقدة ‘{node}’."
        ),
        fixes=(
            Fix(
                text("Renew the key or token", "جدّد المفتاح أو الرمز"),
                text(
                    "The key is wrong, expired or revoked. Create a new one at the service and put it into the "
                    "credential in n8n.",
                    "المفتاح غير صحيح أو منتهي الصلاحية أو ملغى. أنشئ مفتاحًا جديدًا لدى الخدمة وضعه في بيانات الاعتماد في n8n.",
                ),
                confidence=0.85,
            ),
        ),
    ),
    Rule(
        id="http-forbidden",
        cause=Cause.FORBIDDEN,
        prior=0.95,
        rank=50,
        when=(Pattern(codes=frozenset(("403",))),),
        summary=text(
            "The service knows the caller but does not allow this call of ‘{node}’.",
            "تعرف الخدمة صاحب الطلب لكنها لا تسمح بما تطلبه العقدة ‘{node}’.",
        ),
        fixes=(
            Fix(
                text("Grant the missing permission", "امنح الإذن الناقص"),
                text(
                    "Give the key the scope, role or plan that the answer names, or share the resource with its owner.",
                    "امنح المفتاح الصلاحية أو الدور أو الخطة التي يذكرها الرد، أو شارك المورد مع صاحب المفتاح.",
                ),
                confidence=0.8,
            ),
        ),
    ),
    Rule(
        id="http-payment-required",
        cause=Cause.FORBIDDEN,
        prior=0.6,
        rank=50,
        when=(Pattern(codes=frozenset(("402",))),),
        summary=text("The service wants payment before it answers ‘{node}’.", "تطلب الخدمة الدفع قبل أن تجيب العقدة ‘{node}’."),
        fixes=(
            Fix(
                text("Top up the account", "اشحن رصيد الحساب"),
                text(
                    "The credits or the plan at the service are used up. No change of the workflow helps.",
                    "نفد الرصيد أو انتهت الخطة لدى الخدمة، ولا يفيد أي تغيير في سير العمل.",
                ),
                confidence=0.8,
            ),
        ),
    ),
    Rule(
        id="http-quota",
        cause=Cause.RATE_LIMITED,
        prior=0.85,
        rank=60,
        unless=(Pattern(words=regex(r"per (?:minute|second|100 seconds)|/ ?(?:min|sec|s)\b")),),
        when=(
            Pattern(codes=frozenset(("429",)), words=_BILLING),
            Pattern(codes=frozenset(("400", "403", "503")), words=_USED_UP),
            Pattern(failure_causes=frozenset(("quota-exhausted",))),
        ),
        summary=text(
            "The quota at the service is used up; this is about the plan, not about speed.",
            "نفدت الحصة لدى الخدمة؛ المسألة تخص الخطة لا سرعة الطلبات.",
        ),
        fixes=(
            Fix(
                text("Raise the quota or wait for its renewal", "ارفع الحصة أو انتظر تجديدها"),
                text(
                    "Trying again does not help until the plan or the billing details at the service change.",
                    "لا تفيد إعادة المحاولة ما لم تتغير الخطة أو بيانات الدفع لدى الخدمة.",
                ),
                confidence=0.8,
            ),
        ),
    ),
    Rule(
        id="http-rate-limited",
        cause=Cause.RATE_LIMITED,
        prior=0.95,
        rank=59,
        when=(
            Pattern(codes=frozenset(("429",))),
            Pattern(failure_causes=frozenset(("rate-limited",))),
            Pattern(codes=frozenset(("400", "403", "420", "503")), words=_TOO_FAST),
        ),
        summary=text("‘{node}’ calls the service more often than it allows.", "تستدعي العقدة ‘{node}’ الخدمة أكثر مما تسمح به."),
        fixes=(
            Fix(
                text("Wait and try again", "انتظر ثم أعد المحاولة"),
                text(
                    "The node tries up to five times with a pause; with several items it also pauses between the calls. "
                    "A refused call changed nothing at the service.",
                    "تحاول العقدة حتى خمس مرات مع توقف بينها، وتتوقف أيضًا بين الطلبات عند تعدد العناصر. الطلب المرفوض "
                    "لم يغيّر شيئًا لدى الخدمة.",
                ),
                make=slow_down,
                confidence=0.85,
            ),
            Fix(
                text("Call less often", "قلّل عدد الطلبات"),
                text(
                    "Ask for many records in one call, use Loop Over Items with Wait, or ask the service for a higher limit.",
                    "اطلب عدة سجلات في طلب واحد، أو استخدم Loop Over Items مع Wait، أو اطلب من الخدمة حدًّا أعلى.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="http-shut-down",
        cause=Cause.TRANSIENT_UPSTREAM,
        prior=0.75,
        rank=58,
        when=(
            Pattern(
                codes=frozenset(("500", "501", "502", "503", "504")),
                words=regex(
                    r"permanently|discontinued|retired|sunset|decommission|shut ?down for good|switched off"
                    r"|no longer (?:available"
                    r"|supported|exists?|offered)|end[- ]of[- ]life|no replacement"
                ),
            ),
        ),
        summary=text("The service of ‘{node}’ says that it is gone for good.", "تقول خدمة العقدة ‘{node}’ إنها أُغلقت نهائيًّا."),
        fixes=(
            Fix(
                text("Find the service's successor", "ابحث عن بديل الخدمة"),
                text(
                    "Trying again does not help: read the service's notice and move to what took its place.",
                    "لا تفيد إعادة المحاولة: اقرأ إعلان الخدمة وانتقل إلى ما حلّ محلها.",
                ),
                confidence=0.7,
            ),
        ),
    ),
    Rule(
        id="http-outage",
        cause=Cause.TRANSIENT_UPSTREAM,
        prior=0.95,
        rank=50,
        when=(
            Pattern(codes=frozenset(("502", "503", "504", "520", "521", "522", "523", "524", "529"))),
            Pattern(failure_causes=frozenset(("temporarily-unavailable",))),
        ),
        summary=text(
            "The service, not the workflow, failed while answering ‘{node}’.",
            "الخلل في الخدمة لا في سير العمل: أخفقت في الرد على العقدة ‘{node}’.",
        ),
        fixes=(
            Fix(
                _RETRY_TITLE,
                text(
                    "The call only reads or may safely be repeated: the node tries up to five times with a pause.",
                    "الطلب للقراءة فقط أو يمكن تكراره بأمان: تحاول العقدة حتى خمس مرات مع توقف بينها.",
                ),
                make=retry_if_repeatable,
                confidence=0.75,
            ),
            Fix(
                text("Wait until the service is back, then retry", "انتظر حتى تعود الخدمة ثم أعد التنفيذ"),
                text(
                    "If the call writes something, check first whether it arrived: repeating it may do it twice.",
                    "إذا كان الطلب يكتب شيئًا فتحقّق أولًا هل وصل: قد يؤدي تكراره إلى تنفيذه مرتين.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="http-server-fault",
        cause=Cause.TRANSIENT_UPSTREAM,
        prior=0.92,
        rank=49,
        when=(Pattern(codes=frozenset(("500", "501", "505", "507"))),),
        look=look.server_fault,
        summary=text("The service answered ‘{node}’ with an internal error.", "ردّت الخدمة على العقدة ‘{node}’ بخطأ داخلي."),
        fixes=(
            Fix(
                _RETRY_TITLE,
                text(
                    "Internal errors often pass. The call may safely be repeated, so the node tries up to five times.",
                    "كثيرًا ما تزول الأخطاء الداخلية. يمكن تكرار الطلب بأمان، لذا تحاول العقدة حتى خمس مرات.",
                ),
                make=look.retry_outage,
                confidence=0.45,
            ),
            Fix(
                _CALL_OWNER,
                text(
                    "If it happens at every call, the fault is the service's, or it cannot cope with this payload: "
                    "report it with the time and the answer.",
                    "إذا تكرر مع كل طلب فالخلل في الخدمة أو أنها لا تتحمل هذا المحتوى: أبلغ عنه مع الوقت ونص الرد.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="http-request-timeout",
        cause=Cause.TIMEOUT,
        prior=0.75,
        rank=50,
        when=(Pattern(codes=frozenset(("408",))),),
        summary=text("The service gave up waiting for the request of ‘{node}’.", "توقفت الخدمة عن انتظار طلب العقدة ‘{node}’."),
        fixes=(
            Fix(
                _RETRY_TITLE,
                text("The call may safely be repeated.", "يمكن تكرار الطلب بأمان."),
                make=retry_if_repeatable,
                confidence=0.5,
            ),
            Fix(
                text("Send less at once", "أرسل بيانات أقل في المرة"),
                text("A smaller body arrives faster.", "المحتوى الأصغر يصل أسرع."),
                confidence=0.3,
            ),
        ),
    ),
)
