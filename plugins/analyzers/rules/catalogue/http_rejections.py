"""Failures over the request itself: the service answers that address, method, format or fields are wrong."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.looks import http_status as look
from plugins.analyzers.rules.rule import Fix, Pattern, Rule, found_edits, regex, text

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
        id="http-not-found",
        cause=Cause.NOT_FOUND,
        prior=0.93,
        rank=50,
        when=(Pattern(codes=frozenset(("404", "410"))),),
        look=look.moved_path,
        summary=text(
            "The service has nothing at the address that ‘{node}’ calls.",
            "لا يوجد لدى الخدمة شيء في العنوان الذي تطلبه العقدة ‘{node}’.",
        ),
        fixes=(
            Fix(
                text("Call {path}", "استدعِ {path}"),
                text("The service's answer names this path as the right one.", "يذكر رد الخدمة أن هذا هو المسار الصحيح."),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Check the address and the id", "تحقّق من العنوان والمعرّف"),
                text(
                    "The path may be misspelt, or the record or the whole service was removed. Compare it with the "
                    "service's documentation.",
                    "قد يكون المسار مكتوبًا خطأً، أو حُذف السجل أو أُوقفت الخدمة كلها. قارنه بوثائق الخدمة.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="http-wrong-method",
        cause=Cause.WRONG_METHOD,
        prior=0.96,
        rank=50,
        when=(Pattern(codes=frozenset(("405",))),),
        look=look.wrong_method,
        summary=text("The address does not take {method}.", "لا يقبل هذا العنوان الطريقة {method}."),
        fixes=(
            Fix(
                text("Use {allowed}", "استخدم {allowed}"),
                text(
                    "The service's answer says that this address takes {allowed}.",
                    "يذكر رد الخدمة أن هذا العنوان يقبل {allowed}.",
                ),
                make=found_edits,
                confidence=0.9,
            ),
            Fix(
                text("Look up the method", "ابحث عن الطريقة الصحيحة"),
                text(
                    "The service's documentation says which HTTP method this address takes.",
                    "تبيّن وثائق الخدمة طريقة HTTP التي يقبلها هذا العنوان.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="http-media-type",
        cause=Cause.UNSUPPORTED_MEDIA_TYPE,
        prior=0.96,
        rank=50,
        when=(Pattern(codes=frozenset(("415",))),),
        look=look.media_type,
        summary=text(
            "The service does not take the format in which ‘{node}’ sends its body.",
            "لا تقبل الخدمة الصيغة التي ترسل بها العقدة ‘{node}’ محتوى الطلب.",
        ),
        fixes=(
            Fix(
                text("Send the body as {format}", "أرسل المحتوى بصيغة {format}"),
                text("The service's answer asks for this format.", "يطلب رد الخدمة هذه الصيغة."),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Change the body's content type", "غيّر نوع المحتوى"),
                text(
                    "Set ‘Body Content Type’ to the format that the service's documentation names.",
                    "اضبط ‘Body Content Type’ على الصيغة التي تذكرها وثائق الخدمة.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="http-content-type-refused",
        cause=Cause.UNSUPPORTED_MEDIA_TYPE,
        prior=0.8,
        rank=57,
        when=(
            Pattern(
                codes=frozenset(("400", "406", "422")),
                words=regex(r"content[- ]?type|media type|(?:expected|expects|requires?|must be|invalid) (?:a )?(?:JSON|form)\b"),
            ),
        ),
        look=look.content_type_refused,
        summary=text(
            "The service does not take the format in which ‘{node}’ sends its body.",
            "لا تقبل الخدمة الصيغة التي ترسل بها العقدة ‘{node}’ محتوى الطلب.",
        ),
        fixes=(
            Fix(
                text("Send the body as {format}", "أرسل المحتوى بصيغة {format}"),
                text("The service's answer asks for this format.", "يطلب رد الخدمة هذه الصيغة."),
                make=found_edits,
                confidence=0.8,
            ),
        ),
    ),
    Rule(
        id="http-method-refused",
        cause=Cause.WRONG_METHOD,
        prior=0.85,
        rank=57,
        when=(
            Pattern(
                codes=frozenset(("400", "403", "404", "501")),
                words=regex(r"\bmethod\b[^\n]{0,60}(?:not|un)|(?:not|un)[^\n]{0,40}\bmethod\b"),
            ),
        ),
        look=look.method_refused,
        summary=text("The address does not take {method}.", "لا يقبل هذا العنوان الطريقة {method}."),
        fixes=(
            Fix(
                text("Use {allowed}", "استخدم {allowed}"),
                text(
                    "The service's answer says that this address takes {allowed}.",
                    "يذكر رد الخدمة أن هذا العنوان يقبل {allowed}.",
                ),
                make=found_edits,
                confidence=0.85,
            ),
        ),
    ),
    Rule(
        id="http-bad-request",
        cause=Cause.BAD_REQUEST,
        prior=0.85,
        rank=45,
        when=(Pattern(codes=frozenset(("400", "406", "409", "411", "412", "413", "414", "422", "431"))),),
        look=look.rejected,
        summary=text("The service rejects what ‘{node}’ sends.", "ترفض الخدمة ما ترسله العقدة ‘{node}’."),
        fixes=(
            Fix(
                text("Send the field ‘{field}’ as the service wants it", "أرسل الحقل ‘{field}’ كما تريده الخدمة"),
                text(
                    "The answer complains about ‘{field}’; the change makes {change}.",
                    "يشتكي الرد من الحقل ‘{field}’؛ ويجعل التغيير {change}.",
                ),
                make=found_edits,
                confidence=0.75,
            ),
            Fix(
                text("Correct the field that the answer names", "صحّح الحقل الذي يذكره الرد"),
                text(
                    "Compare what is sent with what the service asks for; its answer names the field or the rule that is broken.",
                    "قارن ما يُرسل بما تطلبه الخدمة؛ يذكر ردها الحقل أو القاعدة المخالَفة.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="http-rejected-type",
        cause=Cause.TYPE_MISMATCH,
        prior=0.75,
        rank=55,
        when=(Pattern(codes=frozenset(("400", "422"))),),
        look=look.rejected_type,
        summary=text(
            "The service wants ‘{field}’ as {type}, ‘{node}’ sends another type.",
            "تريد الخدمة الحقل ‘{field}’ من النوع {type}، لكن العقدة ‘{node}’ ترسل نوعًا آخر.",
        ),
        fixes=(
            Fix(
                text("Send ‘{field}’ as {type}", "أرسل ‘{field}’ من النوع {type}"),
                text("The value is converted before it is sent.", "تُحوَّل القيمة قبل إرسالها."),
                make=found_edits,
                confidence=0.8,
            ),
            Fix(
                text("Convert the value", "حوّل القيمة"),
                text("Convert the value to the type that the answer names.", "حوّل القيمة إلى النوع الذي يذكره الرد."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="http-plain-to-tls",
        cause=Cause.TLS_PROTOCOL,
        prior=0.9,
        rank=60,
        when=(
            Pattern(
                codes=frozenset(("400",)),
                words=regex(r"plain HTTP request was sent to HTTPS|requires? (?:TLS|HTTPS)|speaking plain HTTP"),
            ),
        ),
        look=look.over_plain_http,
        summary=text(
            "‘{node}’ speaks plain HTTP to a port that wants TLS.",
            "تتحدث العقدة ‘{node}’ بروتوكول HTTP غير المشفّر مع منفذ يطلب TLS.",
        ),
        fixes=(
            Fix(
                text("Call it with https://", "استخدم https://"),
                text("Same host and port, encrypted.", "المضيف والمنفذ نفسهما، مع التشفير."),
                make=found_edits,
                confidence=0.85,
            ),
        ),
    ),
)
