"""Secrets that are known by their own form, whatever their name: providers' keys, encoded log-ins, random texts."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote

_PROVIDERS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    # Models
    r"sk-(?:ant-|proj-|svcacct-|or-v1-|lf-)?[A-Za-z0-9_-]{16,}|(?:gsk|xai|pplx|pcsk|tvly|lsv2_pt|lsv2_sk|fc|r8|hf)[-_][A-Za-z0-9_-]{24,}"
    # Clouds
    r"|(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}(?![0-9A-Za-z])|LTAI[A-Za-z0-9]{16,24}|AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,}"
    r"|1//0[0-9A-Za-z_-]{30,}|GOCSPX-[0-9A-Za-z_-]{20,}|AAAA[A-Za-z0-9_-]{7}:[A-Za-z0-9_-]{100,}"
    r"|[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34}|do[opr]_v1_[0-9a-f]{64}|HRKU-[A-Za-z0-9_-]{30,}|sbp_[0-9a-f]{40}"
    r"|sb_secret_[A-Za-z0-9_-]{20,}|nfp_[A-Za-z0-9]{30,}|rnd_[A-Za-z0-9]{24,}|fm[12]_[A-Za-z0-9+/=_-]{30,}"
    r"|hv[sbr]\.[A-Za-z0-9_-]{24,}|s\.[A-Za-z0-9]{24}(?![A-Za-z0-9])|dapi[0-9a-f]{32}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}"
    r"|dp\.(?:pt|st|ct|sa)\.[A-Za-z0-9]{40,}|pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{30,}|AGE-SECRET-KEY-1[A-Z0-9]{58}"
    # Code
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|gl(?:pat|dt|rt|cbt|oas|ptt|ft|soat|agent)-[A-Za-z0-9_.-]{20,}"
    r"|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}|AT(?:ATT|CTT|BB|TA)[A-Za-z0-9_=-]{24,}"
    r"|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|lin_(?:api|oauth)_[A-Za-z0-9]{32,}|fig[dour]_[A-Za-z0-9_-]{36,}|CFPAT-[A-Za-z0-9_-]{40,}"
    r"|sntry[su]_[A-Za-z0-9+/=_-]{40,}|NR(?:AK|II|JS|RA)-[A-Za-z0-9_-]{19,}|[0-9a-f]{36}NRAL|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"
    r"|glc_eyJ[A-Za-z0-9+/=_-]{40,}"
    # Messages
    r"|xox[abceoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
    r"|key-[0-9a-f]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}(?![0-9A-Za-z-])|[0-9a-f]{32}-us[0-9]{1,2}|xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}"
    r"|SK[0-9a-f]{32}|[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}|EAA[A-Za-z0-9_-]{40,}"
    r"|re_[A-Za-z0-9]{6,10}_[A-Za-z0-9]{20,}|dG9rOg[A-Za-z0-9+/_-]{30,}={0,2}|\d{10,17}\|[A-Za-z0-9_-]{27}(?![A-Za-z0-9_-])"
    # Shops and payment
    r"|(?:sk|rk|pk|ck|cs|whsec|mk|uk)_(?:live_|test_)?[A-Za-z0-9+/]{16,}={0,2}|shp(?:at|ca|pa|ss|rt)_[0-9a-fA-F]{32}"
    r"|sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,}|rzp_(?:live|test)_[A-Za-z0-9]{14,}|A21AA[A-Za-z0-9_-]{50,}"
    r"|access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}|EZ[AT]K[A-Za-z0-9]{54}|xnd_(?:production|development)_[A-Za-z0-9]{30,}"
    # Offices
    r"|pat-(?:na|eu|ap)\d-[0-9a-f-]{36}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|key(?=[A-Za-z]*\d)[A-Za-z0-9]{14}(?![A-Za-z0-9])"
    r"|(?:secret|ntn)_[A-Za-z0-9]{40,}|[12]/\d{10,}(?:/\d{10,})?:[0-9a-f]{32}|sl\.(?:u\.)?[A-Za-z0-9_-]{60,}"
    r"|00[A-Za-z0-9_-]{40}(?![A-Za-z0-9_-])|tfp_[A-Za-z0-9_-]{40,}|apify_api_[A-Za-z0-9]{30,}|cal_(?:live|test)_[0-9a-f]{32}"
    r"|n8n_api_[A-Za-z0-9]{20,}"
    r")"
    # Anywhere
    r"|(?<!\d)\d{8,10}:A[A-Za-z0-9_-]{33,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]{4,})?"
    r"|(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[A-Za-z0-9/]{20,}|(?<=/api/webhooks/)\d{15,}/[A-Za-z0-9_-]{40,}"
    r"|(?<=hooks\.zapier\.com/hooks/catch/)[A-Za-z0-9/]{10,}|(?<=\.make\.com/)[a-z0-9]{32}|(?<=/webhookb2/)[A-Za-z0-9@/-]{60,}"
    r"|(?<=/with/key/)[A-Za-z0-9_-]{20,}"
)
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
)
#: All but a PEM stand in an unbroken run of these; prose has no such runs, which is much faster to see.
_RUN = re.compile(r"[A-Za-z0-9_\-.~+/=|$:@%]{15,}")
_ESCAPE = re.compile(r"\\+[nrt]")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_.-])[A-Za-z0-9+/]{12,}={0,2}(?![A-Za-z0-9+/=])")
_LOG_IN = re.compile(r"[^\s:/@]{1,64}(?:@[^\s:/@]{1,64})?:(?!\d+$)[^\s:/][^\s:]{3,127}")
_LONE = re.compile(r"(?<![A-Za-z0-9+/=_.~:%-])[A-Za-z0-9+/_~-]{32,128}={0,2}(?![A-Za-z0-9+/=_~%-]|\.[A-Za-z0-9])")
_MOST_LONE = 3
#: Hashes of web pages' files, and ids of Google Drive.
_PUBLIC = re.compile(r"sha\d{3}-|1[A-Za-z0-9_-]{32}$|1[A-Za-z0-9_-]{43}$")
_WORDS = re.compile(r"[a-z]{9}|[A-Z]{9}|(?:[A-Z][a-z]{3,}){3}")
_IDENTIFYING_NAME = re.compile(
    r"(?:id|ids|hash|checksum|etag|digest|integrity|sha\d*|md5|url|uri|link|path|file|cursor|fingerprint|data|image|version|pageToken"
    r"|nextPageToken)$|^value$",
    re.IGNORECASE,
)


def find_shapes(text: str, *, name: str | None = None) -> Iterator[str]:
    """The secrets in a text that are known by their form; ``name`` is that of the text's field, where it has one."""
    if "PRIVATE KEY" in text:
        yield from _PEM.findall(text)
    if "\\" in text:  # JSON in a text
        text = _ESCAPE.sub(" ", text).replace("\\/", "/")
    runs = _RUN.findall(text)
    for run in runs:
        yield from _PROVIDERS.findall(run)
        if "%" in run and (plain := unquote(run)) != run:
            yield from _PROVIDERS.findall(plain)
        for encoded in _BASE64.findall(run):
            if holds_log_in(encoded):
                yield encoded
    if name is None or not _IDENTIFYING_NAME.search(name):
        lone = [candidate for run in runs for candidate in _LONE.findall(run) if is_random(candidate)]
        # Many of them are the lines of an encoded file.
        yield from lone if len(lone) <= _MOST_LONE else ()


def holds_log_in(encoded: str) -> bool:
    """Whether the Base64 text says ``user:password``, or a provider's key."""
    decoded = decode_base64(encoded)
    return decoded is not None and bool(_LOG_IN.fullmatch(decoded) or _PROVIDERS.search(decoded))


def decode_base64(encoded: str) -> str | None:
    """The printable text that the Base64 text stands for; None where it is none."""
    body = encoded.rstrip("=")
    if len(body) % 4 == 1:
        return None
    try:
        text = base64.b64decode(body + "=" * (-len(body) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return text if text.isprintable() else None


def is_random(text: str) -> bool:
    """Whether an unnamed text of 32 to 128 letters and digits was drawn at random: no words, no hexadecimal, no encoded text."""
    body = text.rstrip("=")
    kinds = (sum(letter.isdigit() for letter in body), sum(letter.isupper() for letter in body), sum(map(str.islower, body)))
    if min(kinds) < 2 or _PUBLIC.match(text) or _WORDS.search(body) or decode_base64(body) is not None:
        return False
    if body.count("/") > 3 or body.count("-") > 3 or body.count("_") > 3:
        return False  # a path or a slug
    return _entropy(body) >= 4.2


def _entropy(text: str) -> float:
    """Shannon's entropy in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
