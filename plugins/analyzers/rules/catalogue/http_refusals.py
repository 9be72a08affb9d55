"""Failures over the format of the answer, the length and the parts of the address, and a service that is busy for a moment."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.looks import http_refusals as look
from plugins.analyzers.rules.retries import retry_if_repeatable
from plugins.analyzers.rules.rule import Fix, Pattern, Rule, found_edits, regex, text

_FOR_A_MOMENT = regex(
    r"(?:try|retry)\w*(?: again)? (?:in|after|later|shortly|soon)|try again|moment|temporar|shortly|being (?:re)?(?:built|indexed"
    r"|created|processed|updated)|in progress|not (?:yet )?ready|kurz|später|réessay|intenta|حاول"
)

RULES: Sequence[Rule] = (
    Rule(
        id="http-not-acceptable",
        cause=Cause.UNSUPPORTED_MEDIA_TYPE,
        prior=0.9,
        rank=56,
        look=look.other_answer_format,
        when=(Pattern(codes=frozenset(("406",))),),
        unless=(Pattern(words=regex(r"content[- ]?type")),),
        summary=text(
            "The service cannot answer ‘{node}’ in the format that it asks for.",
            "لا تستطيع الخدمة الرد على العقدة ‘{node}’ بالصيغة التي تطلبها.",
        ),
        fixes=(
            Fix(
                text("Ask for {format}", "اطلب الصيغة {format}"),
                text("The service's answer names this format as one that it has.", "يذكر رد الخدمة أن هذه الصيغة متاحة لديها."),
                make=found_edits,
                confidence=0.8,
            ),
            Fix(
                text("Change the header ‘Accept’", "غيّر الترويسة ‘Accept’"),
                text(
                    "Ask for a format, language or version that the service's documentation names.",
                    "اطلب صيغة أو لغة أو إصدارًا تذكره وثائق الخدمة.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="http-address-too-long",
        cause=Cause.BAD_REQUEST,
        prior=0.92,
        rank=56,
        look=look.posted_query,
        when=(Pattern(codes=frozenset(("414",))),),
        summary=text(
            "The address that ‘{node}’ calls is longer than the service takes.",
            "العنوان الذي تستدعيه العقدة ‘{node}’ أطول مما تقبله الخدمة.",
        ),
        fixes=(
            Fix(
                text("Send the query as a JSON body with POST", "أرسل معاملات الاستعلام في محتوى JSON بالطريقة POST"),
                text("The service's answer asks for POST.", "يطلب رد الخدمة استخدام POST."),
                make=found_edits,
                confidence=0.7,
            ),
            Fix(
                text("Send less in the address", "قلّل ما يُرسل في العنوان"),
                text(
                    "Ask for fewer records at once, or send long values in a body where the service takes one.",
                    "اطلب سجلات أقل في المرة، أو أرسل القيم الطويلة في محتوى الطلب إن قبلته الخدمة.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="http-unencoded-segment",
        cause=Cause.NOT_FOUND,
        prior=0.88,
        rank=56,
        look=look.encoded_segment,
        when=(Pattern(codes=frozenset(("400", "404"))),),
        summary=text(
            "‘{value}’ stands unencoded in the address of ‘{node}’, so the service takes it for several parts.",
            "ترد القيمة ‘{value}’ في عنوان العقدة ‘{node}’ دون ترميز، فتفهمها الخدمة أجزاءً عدة.",
        ),
        fixes=(
            Fix(
                text("Encode the value in the address", "رمّز القيمة في العنوان"),
                text("The value then stays one part of the path.", "تبقى القيمة حينئذ جزءًا واحدًا من المسار."),
                make=found_edits,
                confidence=0.75,
            ),
        ),
    ),
    Rule(
        id="http-double-slash",
        cause=Cause.NOT_FOUND,
        prior=0.85,
        rank=55,
        look=look.double_slash,
        when=(Pattern(codes=frozenset(("404",))),),
        summary=text(
            "The address of ‘{node}’ holds two slashes in a row, which the service takes for another path.",
            "في عنوان العقدة ‘{node}’ شرطتان مائلتان متتاليتان، فتفهمه الخدمة مسارًا آخر.",
        ),
        fixes=(
            Fix(
                text("Take the second slash out", "احذف الشرطة الزائدة"),
                text("An empty part of a path is hardly ever meant.", "نادرًا ما يُقصد جزء فارغ في المسار."),
                make=found_edits,
                confidence=0.8,
            ),
        ),
    ),
    Rule(
        id="http-busy",
        cause=Cause.TRANSIENT_UPSTREAM,
        prior=0.85,
        rank=51,
        when=(Pattern(codes=frozenset(("423", "425")), words=_FOR_A_MOMENT),),
        summary=text(
            "The service is busy for a moment and refuses ‘{node}’.", "الخدمة مشغولة مؤقتًا ولذلك ترفض طلب العقدة ‘{node}’."
        ),
        fixes=(
            Fix(
                text("Let the node try again", "اجعل العقدة تعيد المحاولة"),
                text("The service's answer asks to call again soon.", "يطلب رد الخدمة إعادة الطلب بعد قليل."),
                make=retry_if_repeatable,
                confidence=0.75,
            ),
            Fix(
                text("Wait, then retry", "انتظر ثم أعد التنفيذ"),
                text(
                    "If the call writes something, check first whether it arrived.",
                    "إذا كان الطلب يكتب شيئًا فتحقّق أولًا هل وصل.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="http-locked",
        cause=Cause.BAD_REQUEST,
        prior=0.6,
        rank=44,
        when=(Pattern(codes=frozenset(("423",))),),
        summary=text("What ‘{node}’ wants to use is locked at the service.", "ما تريد العقدة ‘{node}’ استخدامه مقفل لدى الخدمة."),
        fixes=(
            Fix(
                text("Unlock the record at the service", "ألغِ قفل السجل لدى الخدمة"),
                text(
                    "Someone, or a rule of the service, holds the record; its answer may say who.",
                    "يحجز السجل شخص ما أو قاعدة لدى الخدمة؛ وقد يذكر ردها من يحجزه.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="paging-relative-link",
        cause=Cause.INVALID_URL,
        prior=0.95,
        rank=66,
        look=look.absolute_next_page,
        when=(Pattern(message=regex(r"' is not a valid URL")),),
        summary=text(
            "The link to the next page of ‘{node}’ lacks its host: {link}",
            "رابط الصفحة التالية في العقدة ‘{node}’ بلا مضيف: {link}",
        ),
        fixes=(
            Fix(
                text("Put the service's host before the link", "ضع مضيف الخدمة قبل الرابط"),
                text("The link is relative to the address that the node calls.", "الرابط نسبي إلى العنوان الذي تستدعيه العقدة."),
                make=found_edits,
                confidence=0.8,
            ),
            Fix(
                text("Complete the expression of ‘Next URL’", "أكمل تعبير ‘Next URL’"),
                text(
                    "It must give a whole address, with http:// or https://.",
                    "يجب أن يعطي عنوانًا كاملًا يبدأ بـ http:// أو https://.",
                ),
                confidence=0.5,
            ),
        ),
    ),
)
