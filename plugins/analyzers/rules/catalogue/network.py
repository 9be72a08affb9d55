"""Failures before a service could answer: names, connections, certificates, time."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.looks import network as look
from plugins.analyzers.rules.retries import retry_if_repeatable
from plugins.analyzers.rules.rule import Fix, Pattern, Rule, found_edits, regex, text

_RETRY = Fix(
    text("Let the node try again", "اجعل العقدة تعيد المحاولة"),
    text(
        "The call may safely be repeated: the node tries up to five times with a pause.",
        "يمكن تكرار الطلب بأمان: تحاول العقدة حتى خمس مرات مع توقف بينها.",
    ),
    make=retry_if_repeatable,
    confidence=0.7,
)

RULES: Sequence[Rule] = (
    Rule(
        id="dns",
        cause=Cause.DNS,
        prior=0.97,
        rank=60,
        look=look.address,
        when=(
            Pattern(codes=frozenset(("ENOTFOUND", "EAI_AGAIN", "EAI_NODATA", "EAI_NONAME"))),
            Pattern(words=regex(r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN)")),
        ),
        summary=text(
            "The host ‘{host}’ has no address: its name does not resolve.", "لا عنوان للمضيف ‘{host}’: تعذّر تحليل اسمه."
        ),
        fixes=(
            Fix(
                text("Check the host's name", "تحقّق من اسم المضيف"),
                text(
                    "It may be misspelt, gone, or known only inside another network; in Docker use the service's name.",
                    "قد يكون مكتوبًا خطأً أو أُزيل أو معروفًا داخل شبكة أخرى فقط؛ في Docker استخدم اسم الخدمة.",
                ),
                confidence=0.6,
            ),
        ),
    ),
    Rule(
        id="refused",
        cause=Cause.CONNECTION_REFUSED,
        prior=0.97,
        rank=60,
        look=look.address,
        when=(
            Pattern(codes=frozenset(("ECONNREFUSED",))),
            Pattern(words=regex(r"ECONNREFUSED")),
            Pattern(
                message=regex(
                    r"^(?:connection refused|the service refused the connection|It was not possible to connect to the URL)"
                )
            ),
        ),
        summary=text("Nothing accepts connections at ‘{host}’.", "لا شيء يقبل الاتصال عند ‘{host}’."),
        fixes=(
            Fix(
                text("Start the service or correct host and port", "شغّل الخدمة أو صحّح المضيف والمنفذ"),
                text(
                    "The service is down, or it listens elsewhere. Inside Docker ‘localhost’ is the container itself.",
                    "الخدمة متوقفة أو تستمع في مكان آخر. داخل Docker يعني ‘localhost’ الحاوية نفسها.",
                ),
                confidence=0.6,
            ),
        ),
    ),
    Rule(
        id="reset",
        cause=Cause.CONNECTION_RESET,
        prior=0.93,
        rank=58,
        when=(
            Pattern(codes=frozenset(("ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"))),
            Pattern(words=regex(r"socket hang up|read ECONNRESET")),
        ),
        summary=text(
            "The connection of ‘{node}’ was cut off before the answer came.", "انقطع اتصال العقدة ‘{node}’ قبل وصول الرد."
        ),
        fixes=(
            _RETRY,
            Fix(
                text("Check whether the call arrived, then retry", "تحقّق هل وصل الطلب ثم أعد التنفيذ"),
                text(
                    "A call that writes may have been carried out although its answer was lost. If it always breaks, "
                    "check http against https, proxies and the size of the body.",
                    "قد يكون طلب الكتابة نُفّذ رغم ضياع رده. وإن تكرر الانقطاع دائمًا فتحقّق من http أو https ومن الوسيط "
                    "ومن حجم المحتوى.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="timeout",
        cause=Cause.TIMEOUT,
        prior=0.95,
        rank=60,
        look=look.timeout,
        when=(
            Pattern(codes=frozenset(("ECONNABORTED", "ETIMEDOUT", "ESOCKETTIMEDOUT", "UND_ERR_HEADERS_TIMEOUT", "ERR_CANCELED"))),
            Pattern(words=regex(r"timeout of \d+ ?ms exceeded|ETIMEDOUT|request timed out")),
        ),
        summary=text("The answer took longer than ‘{node}’ waits.", "استغرق الرد وقتًا أطول مما تنتظره العقدة ‘{node}’."),
        fixes=(
            Fix(
                text("Wait up to {raised} ms", "انتظر حتى {raised} مللي ثانية"),
                text(
                    "The node gives up after {limit} ms, far less than usual.",
                    "تتوقف العقدة بعد {limit} مللي ثانية، وهو أقل كثيرًا من المعتاد.",
                ),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Ask for less, or later", "اطلب أقل أو لاحقًا"),
                text(
                    "Ask for fewer records at once, or let the service work in the background and fetch the result later.",
                    "اطلب سجلات أقل في المرة، أو دع الخدمة تعمل في الخلفية ثم اجلب النتيجة لاحقًا.",
                ),
                confidence=0.4,
            ),
        ),
    ),
    Rule(
        id="tls-untrusted",
        cause=Cause.TLS_UNTRUSTED,
        prior=0.96,
        rank=62,
        when=(
            Pattern(
                codes=frozenset(
                    (
                        "DEPTH_ZERO_SELF_SIGNED_CERT",
                        "SELF_SIGNED_CERT_IN_CHAIN",
                        "CERT_HAS_EXPIRED",
                        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
                        "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
                        "ERR_TLS_CERT_ALTNAME_INVALID",
                    )
                )
            ),
            Pattern(
                words=regex(
                    r"SSL Issue|self[- ]signed certificate|certificate has expired|unable to verify the first certificate"
                    r"|unable to get (?:local )?issuer certificate|does not match certificate's altnames"
                )
            ),
        ),
        summary=text(
            "n8n does not trust the certificate of the server that ‘{node}’ calls.",
            "لا يثق n8n بشهادة الخادم الذي تستدعيه العقدة ‘{node}’.",
        ),
        fixes=(
            Fix(
                text("Give the server a trusted certificate", "امنح الخادم شهادة موثوقة"),
                text(
                    "Renew the certificate, or add its authority to n8n (NODE_EXTRA_CA_CERTS). ‘Ignore SSL Issues’ would "
                    "let anyone in between read and change the data.",
                    "جدّد الشهادة، أو أضف جهة إصدارها إلى n8n ‏(NODE_EXTRA_CA_CERTS). أما ‘Ignore SSL Issues’ فيتيح لأي "
                    "طرف وسيط قراءة البيانات وتغييرها.",
                ),
                confidence=0.6,
            ),
        ),
    ),
    Rule(
        id="tls-protocol",
        cause=Cause.TLS_PROTOCOL,
        prior=0.95,
        rank=61,
        look=look.plain_port,
        when=(
            Pattern(codes=frozenset(("EPROTO",))),
            Pattern(words=regex(r"wrong version number|SSL routines|ERR_SSL|packet length too long|http request")),
        ),
        unless=(Pattern(codes=frozenset(("400", "401", "403", "404"))),),
        summary=text(
            "‘{node}’ speaks TLS to a port that does not, or in another version.",
            "تتحدث العقدة ‘{node}’ بروتوكول TLS مع منفذ لا يدعمه أو بإصدار آخر.",
        ),
        fixes=(
            Fix(
                text("Call it with http://", "استخدم http://"),
                text(
                    "The port speaks plain HTTP. The host lies in the own network; on the way to it nothing is encrypted.",
                    "يتحدث المنفذ HTTP دون تشفير. المضيف داخل الشبكة نفسها، ولا تشفير في الطريق إليه.",
                ),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Check scheme and port", "تحقّق من البروتوكول والمنفذ"),
                text("https belongs to the service's TLS port, usually 443.", "تخص https منفذ TLS للخدمة، وهو غالبًا 443."),
                confidence=0.5,
            ),
        ),
    ),
)
