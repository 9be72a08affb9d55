"""Failures of the request itself: its address, headers, body, paging, and the format of the answer."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.looks import http_request as look
from plugins.analyzers.rules.looks import paging
from plugins.analyzers.rules.rule import Fix, Pattern, Rule, found_edits, regex, text

_MAN_URL = Fix(
    text("Correct the address", "صحّح العنوان"),
    text(
        "A complete address starts with http:// or https://, has a host and a port below 65536.",
        "يبدأ العنوان الكامل بـ http:// أو https://، وله مضيف ومنفذ أقل من 65536.",
    ),
    confidence=0.5,
)

RULES: Sequence[Rule] = (
    Rule(
        id="url-invalid",
        cause=Cause.INVALID_URL,
        prior=0.95,
        rank=60,
        look=look.invalid_url,
        when=(
            Pattern(message=regex(r"^Invalid URL\b|provided \"?URL\"? is not valid|' is not a valid URL|is not a valid url")),
            Pattern(codes=frozenset(("ERR_INVALID_URL", "ERR_INVALID_PROTOCOL"))),
        ),
        summary=text(
            "What ‘{node}’ calls is not a complete address: {url}", "ما تستدعيه العقدة ‘{node}’ ليس عنوانًا كاملًا: {url}"
        ),
        fixes=(
            Fix(
                text("Call {fixed}", "استدعِ {fixed}"),
                text("The same address with a scheme that HTTP clients know.", "العنوان نفسه مع بروتوكول معروف."),
                make=found_edits,
                confidence=0.85,
            ),
            _MAN_URL,
        ),
    ),
    Rule(
        id="url-empty",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.7,
        rank=55,
        look=look.empty_url,
        when=(Pattern(message=regex(r"URL parameter (?:must be a string|cannot be empty)|Invalid URL: (?:undefined|null)")),),
        summary=text(
            "The address of ‘{node}’ comes from an expression that gave nothing.",
            "عنوان العقدة ‘{node}’ يأتي من تعبير لم يعطِ شيئًا.",
        ),
        fixes=(
            Fix(
                text("Point the expression to the field with the address", "وجّه التعبير إلى الحقل الذي يحوي العنوان"),
                text(
                    "Open the input of the node and pick the field again; data of a webhook lies under ‘body’.",
                    "افتح مدخلات العقدة واختر الحقل من جديد؛ بيانات الـ webhook تقع تحت ‘body’.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="header-name",
        cause=Cause.INVALID_HEADER,
        prior=0.96,
        rank=60,
        look=look.header_name,
        when=(
            Pattern(codes=frozenset(("ERR_INVALID_HTTP_TOKEN",))),
            Pattern(message=regex(r"Header name must be a valid HTTP token")),
        ),
        summary=text(
            "The header name ‘{header}’ holds a character that HTTP does not allow.",
            "اسم الترويسة ‘{header}’ يحوي حرفًا لا يسمح به HTTP.",
        ),
        fixes=(
            Fix(
                text("Name it ‘{fixed}’", "سمّها ‘{fixed}’"),
                text("The name without colon, spaces and other signs.", "الاسم دون نقطتين أو مسافات أو رموز أخرى."),
                make=found_edits,
                confidence=0.9,
            ),
            Fix(
                text("Correct the header's name", "صحّح اسم الترويسة"),
                text("Letters, digits and hyphens are allowed.", "يُسمح بالحروف والأرقام والشرطات."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="header-value",
        cause=Cause.INVALID_HEADER,
        prior=0.95,
        rank=60,
        look=look.header_value,
        when=(
            Pattern(codes=frozenset(("ERR_INVALID_CHAR", "ERR_HTTP_INVALID_HEADER_VALUE"))),
            Pattern(message=regex(r"Invalid (?:character in|value .* for) header")),
        ),
        summary=text(
            "The value of the header ‘{header}’ holds a character that HTTP does not allow.",
            "قيمة الترويسة ‘{header}’ تحوي حرفًا لا يسمح به HTTP.",
        ),
        fixes=(
            Fix(
                text("Take the character out", "احذف هذا الحرف"),
                text(
                    "Line breaks and signs beyond Latin-1 are replaced by a space.",
                    "تُستبدل فواصل الأسطر والرموز خارج Latin-1 بمسافة.",
                ),
                make=found_edits,
                confidence=0.75,
            ),
            Fix(
                text("Clean the value", "نظّف القيمة"),
                text("A header's value is one line of plain characters.", "قيمة الترويسة سطر واحد من الحروف البسيطة."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="json-parameter",
        cause=Cause.INVALID_JSON_BODY,
        prior=0.95,
        rank=60,
        look=look.json_parameter,
        when=(
            Pattern(
                message=regex(
                    r"field is not valid JSON|contains invalid JSON|does not contain a valid JSON|Invalid JSON in ['‘]"
                    r"|needs to be valid JSON|must contain a valid JSON|is no valid JSON"
                )
            ),
        ),
        summary=text(
            "The JSON typed into ‘{field}’ of ‘{node}’ is broken once its expressions are filled in.",
            "نص JSON المكتوب في ‘{field}’ بالعقدة ‘{node}’ يصبح غير صالح بعد ملء تعبيراته.",
        ),
        fixes=(
            Fix(
                text("Repair the JSON", "أصلح نص JSON"),
                text(
                    "Values go in through JSON.stringify, which adds the quotes and escapes what would break the text.",
                    "تُدرج القيم عبر JSON.stringify الذي يضيف علامات الاقتباس ويحمي ما قد يكسر النص.",
                ),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Use fields instead of JSON text", "استخدم الحقول بدل نص JSON"),
                text(
                    "Choose ‘Using Fields Below’, or write the whole text as one expression: JSON.stringify of an object.",
                    "اختر ‘Using Fields Below’، أو اكتب النص كله تعبيرًا واحدًا: JSON.stringify لكائن.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="answer-not-json",
        cause=Cause.BAD_RESPONSE_FORMAT,
        prior=0.95,
        rank=60,
        look=look.as_text,
        when=(
            Pattern(
                message=regex(
                    r"Response body is not valid JSON|Invalid JSON in response body|Received invalid JSON from response"
                )
            ),
        ),
        summary=text("The answer to ‘{node}’ is not JSON.", "الرد على العقدة ‘{node}’ ليس بصيغة JSON."),
        fixes=(
            Fix(
                text("Keep the answer as text", "احتفظ بالرد نصًّا"),
                text(
                    "No node behind reads JSON fields of it, so the text reaches them in the field ‘data’.",
                    "لا تقرأ العقد التالية حقول JSON منه، فيصلها النص في الحقل ‘data’.",
                ),
                make=found_edits,
                confidence=0.75,
            ),
            Fix(
                text("Look at what the service really sent", "انظر إلى ما أرسلته الخدمة فعلًا"),
                text(
                    "Often it is a login or error page: check address and credentials. If text is meant, set ‘Response "
                    "Format’ to Text and read ‘data’ behind.",
                    "كثيرًا ما تكون صفحة دخول أو خطأ: تحقّق من العنوان وبيانات الاعتماد. وإن كان النص مقصودًا فاضبط "
                    "‘Response Format’ على Text واقرأ ‘data’ بعدها.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="redirects",
        cause=Cause.TOO_MANY_REDIRECTS,
        prior=0.9,
        rank=60,
        look=look.redirects,
        when=(
            Pattern(codes=frozenset(("ERR_FR_TOO_MANY_REDIRECTS", "301", "302", "303", "307", "308"))),
            Pattern(message=regex(r"number of redirects exceeded")),
        ),
        summary=text(
            "The service redirects ‘{node}’ more often than the node follows.",
            "تعيد الخدمة توجيه العقدة ‘{node}’ أكثر مما تتبعه.",
        ),
        fixes=(
            Fix(
                text("Follow the redirects", "اتبع عمليات إعادة التوجيه"),
                text("The node's own limit is lower than usual.", "حدّ العقدة أدنى من المعتاد."),
                make=found_edits,
                confidence=0.7,
            ),
            Fix(
                text("Call the final address", "استدعِ العنوان النهائي"),
                text(
                    "A loop of redirects usually means a login page or a wrong address (http or https, with or without www).",
                    "حلقة إعادة التوجيه تعني غالبًا صفحة دخول أو عنوانًا خطأ (http أو https، مع www أو دونها).",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="paging-loop",
        cause=Cause.PAGINATION_LOOP,
        prior=0.95,
        rank=65,
        look=paging.paging,
        when=(
            Pattern(
                words=regex(
                    r"response was identical \d+x|Pagination Completed When|infinite loop.*pagination|pagination.*infinite loop"
                )
            ),
        ),
        summary=text(
            "‘{node}’ asks for page after page and gets the same answer.",
            "تطلب العقدة ‘{node}’ صفحة بعد صفحة وتحصل على الرد نفسه.",
        ),
        fixes=(
            Fix(
                text("Turn the pages as the service does", "قلّب الصفحات كما تفعل الخدمة"),
                text(
                    "Each request then asks for the next page, and the last page is known by the answer.",
                    "يطلب كل طلب حينئذ الصفحة التالية، وتُعرف الصفحة الأخيرة من الرد.",
                ),
                make=found_edits,
                confidence=0.6,
            ),
            Fix(
                text("Say when the last page is reached", "حدّد متى تنتهي الصفحات"),
                text(
                    "Set ‘Pagination Complete When’ to an expression on the answer, e.g. its list being empty, and limit "
                    "the number of pages.",
                    "اضبط ‘Pagination Complete When’ على تعبير يخص الرد، مثل خلوّ قائمته، وحدّد عدد الصفحات.",
                ),
                confidence=0.6,
            ),
        ),
    ),
)
