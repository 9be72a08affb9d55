"""Why there is no answer, in words that say what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hub.plugin_api import LocalizedText, ModelFailure

if TYPE_CHECKING:
    import openai

_SAID = 200


class Refusal(Exception):
    """There is no answer."""

    def __init__(self, failure: ModelFailure) -> None:
        super().__init__(failure.code)
        self.failure = failure


def failure(code: str, en: str, ar: str) -> ModelFailure:
    """A failure with its words."""
    return ModelFailure(code=code, words=LocalizedText(en=en, ar=ar))


REFUSED = failure(
    "refused",
    "The model refused to answer. Another model may not.",
    "رفض النموذج الإجابة. قد يجيب نموذج آخر.",
)
CUT_OFF = failure(
    "cut-off",
    "The answer was cut off at its longest length. An operator can raise “Longest answer” in the plugin's settings.",
    "قُطعت الإجابة عند طولها الأقصى. يمكن للمشغّل زيادة «أطول إجابة» في إعدادات الإضافة.",
)
FILTERED = failure(
    "filtered",
    "The server's content filter held the answer back.",
    "حجب مرشّح المحتوى لدى الخادم الإجابة.",
)
EMPTY = failure(
    "empty",
    "The answer was empty, as of a model that only thinks. "
    'For such a model set {"reasoning_effort": "none"} in the settings of the plugin.',
    'كانت الإجابة فارغة، كحال نموذج يفكّر فقط. لمثل هذا النموذج اضبط \u2066{"reasoning_effort": "none"}\u2069 في إعدادات الإضافة.',
)
UNREADABLE = failure(
    "unreadable",
    "The answer had not the demanded form, also when asked again. The connection test says which form this model keeps.",
    "لم تكن الإجابة بالصيغة المطلوبة، حتى بعد إعادة السؤال. يبيّن اختبار الاتصال الصيغة التي يلتزمها هذا النموذج.",
)
STRANGE = failure(
    "strange",
    "The server answered, but not as the Chat Completions API does. Check the address: it usually ends with /v1.",
    "أجاب الخادم لكن ليس كما تجيب واجهة Chat Completions. تحقق من العنوان: ينتهي عادة بـ ‎/v1.",
)
TOO_SLOW = failure(
    "timeout",
    "There was no answer in time. Try again, or an operator can raise “Longest wait”.",
    "لم تصل إجابة في الوقت المحدد. أعد المحاولة، أو يزيد المشغّل «أطول انتظار».",
)

_BY_STATUS = {
    401: failure("wrong-key", "The server does not accept the API key.", "لا يقبل الخادم مفتاح الواجهة."),
    403: failure("forbidden", "The API key may not use this model.", "لا يُسمح لهذا المفتاح باستخدام هذا النموذج."),
    404: failure(
        "not-found",
        "The server knows no such model, or the address is wrong (it usually ends with /v1).",
        "لا يعرف الخادم هذا النموذج، أو أن العنوان خاطئ (ينتهي عادة بـ ‎/v1).",
    ),
    413: failure("too-long", "The question is too long for the server.", "السؤال أطول مما يقبله الخادم."),
    429: failure(
        "rate-limited",
        "The server's own limit is reached (too many requests, or no credit left). Try again later.",
        "بُلغ حد الخادم نفسه (طلبات كثيرة أو نفاد الرصيد). أعد المحاولة لاحقًا.",
    ),
}


def of_status(error: openai.APIStatusError) -> ModelFailure:
    """The failure that an HTTP status means; with the server's own words where only they say what is wrong."""
    status = error.status_code
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:
        return failure(
            "redirect",
            "The server answers with a redirect, which is not followed. Set the final address.",
            "يجيب الخادم بإعادة توجيه ولا تُتّبع. اضبط العنوان النهائي.",
        )
    if status >= 500:
        return failure(
            "server-error",
            f"The server has a problem of its own (HTTP {status}). Try again later.",
            f"لدى الخادم مشكلة خاصة به (HTTP {status}). أعد المحاولة لاحقًا.",
        )
    said = _words_of(error)
    return failure(
        "bad-request",
        f"The server does not accept the request (HTTP {status}): {said}",
        f"لا يقبل الخادم الطلب (HTTP {status}): ⁨{said}⁩",
    )


def _words_of(error: openai.APIStatusError) -> str:
    body = error.body
    said = body.get("message") if isinstance(body, dict) else body
    return (said if isinstance(said, str) else json.dumps(body, ensure_ascii=False))[:_SAID]
