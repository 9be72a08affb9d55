"""Which names (of fields, headers, query parameters, variables) say that their value is a secret."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_SECRET_NAME = re.compile(
    r"authorization|passw(?:or)?d|passphrase|passcode|secret(?!ar)|cookie|credit[-_ ]?card|card[-_ ]?number"
    r"|(?:api|access|private|signing|encryption|subscription|master|service|auth|account|application|app|consumer|licen[sc]e"
    r"|storage|integration|server|client|project|write|admin|pass|webhook|hmac|shared)[-_ .]?key"
    r"|connection[-_ .]?string|token\d*$|\bjwt$|(?:^|[-_.])bearer$|(?:^|[-_.])dsn$|(?:^|[-_.])psk$"
    r"|^(?:auth|pass|pwd|pin|otp|cvv|cvc|sid|sess|session|session[-_]?id|phpsessid|jsessionid|connect\.sid|csrf|xsrf)$"
    r"|[-_. ](?:pass|pwd|pin|otp|cvv|cvc)$|(?-i:[a-z](?:Pass|Pwd|Pin|Otp|Cvv|SessionId))$|[-_.]session[-_]?id$"
    r"|^x-.*-(?:key|token|secret|auth|signature|password)$|^x-hub-signature"
    r"|كلمة[ _]?(?:ال)?(?:سر|مرور)|(?:ال)?رقم[ _](?:ال)?سري|(?:ال)?رمز[ _](?:ال)?سري",
    re.IGNORECASE,
)
#: Names that only look secret: what describes a secret, and what pages through a list.
_HARMLESS_NAME = re.compile(
    r"(?:type|name|field|count|limit|expir(?:y|es|es_?in|es_?at)|_?url|uri|endpoint|enabled|required|policy|length|method)$"
    r"|(?:page|sync|next|continuation|cursor|max|delta)[-_ ]?token$|^(?:public|publishable)",
    re.IGNORECASE,
)
_SECRET_PARAMETER = re.compile(
    r"^(?:sig|signature|x-(?:amz|goog)-signature|auth|hapikey|appid|pw|sas|access_?sig|verify_?token)$", re.IGNORECASE
)
#: Names that mean a secret only where the value looks like one.
_DOUBTFUL_PARAMETER = re.compile(r"^(?:key|code|hash|client_?id|user_?key|appkey|ticket)$", re.IGNORECASE)
#: What stands under a secret name in error texts (``{"token": "expired"}``) and settings, and is no secret.
_ORDINARY = re.compile(
    r"true|false|null|none|undefined|bearer|basic|required|invalid|missing|expired|revoked|string|number|object|boolean|array"
    r"|unauthorized|forbidden|denied|empty|blank|wrong|incorrect|unknown|strict|loose|hidden|default|text|password|token|secret"
    r"|username|apikey|provided|incomplete|malformed|rejected|authorization|authentication|https?|header|query|redacted",
    re.IGNORECASE,
)
_MASKED = re.compile(r"^(?:Bearer\s+|Basic\s+)?(?:[*•.xX]+|\*\*hidden\*\*|.*\*{3,}.*)$")


@lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret (``Authorization``, ``apiKey``, ``x-acme-token``)."""
    return bool(_SECRET_NAME.search(name)) and not _HARMLESS_NAME.search(name)


def is_secret_parameter(name: str, value: Any) -> bool:
    """Whether a query or header parameter is secret; a bare ``key`` is so where its value looks like one."""
    if _DOUBTFUL_PARAMETER.match(name):
        return isinstance(value, str) and len(value) >= 12 and any(letter.isdigit() for letter in value)
    return is_secret_name(name) or bool(_SECRET_PARAMETER.match(name))


def is_ordinary(value: str) -> bool:
    """Whether what stands under a secret name is a word about a secret, or was masked before."""
    return bool(_ORDINARY.fullmatch(value) or _MASKED.match(value))
