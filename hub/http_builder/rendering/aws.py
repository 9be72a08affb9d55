"""AWS Signature Version 4, as AWS documents it ("Create a signed AWS API request"). Pure: the caller says what time it is."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import posixpath
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, unquote_plus

from hub.http_builder.rendering.headers import Headers
from hub.http_builder.rendering.urls import split_url

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signature:
    """The headers to send, and the two texts that AWS compares: they tell why a signature does not match."""

    authorization: str
    canonical_request: str
    string_to_sign: str


def dated_headers(body: bytes, moment: dt.datetime, session_token: str) -> Headers:
    """The headers that are signed besides those that are there."""
    headers = [("X-Amz-Date", moment.strftime("%Y%m%dT%H%M%SZ")), ("X-Amz-Content-Sha256", hashlib.sha256(body).hexdigest())]
    return [*headers, ("X-Amz-Security-Token", session_token)] if session_token else headers


def sign(
    method: str, url: str, headers: Headers, body: bytes, *, access_key_id: str, secret_access_key: str, region: str, service: str
) -> Signature:
    """Sign a request whose ``headers`` hold ``X-Amz-Date``: the host, the content type and every ``X-Amz-`` header."""
    authority, path, query = split_url(url)
    signed = {"host": [authority]}
    for name, value in headers:
        if name.lower() == "host":
            signed["host"] = [value]
        elif name.lower() in ("content-type", "date", "range") or name.lower().startswith("x-amz-"):
            signed.setdefault(name.lower(), []).append(re.sub(" +", " ", value.strip()))
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        (
            method,
            _canonical_path(path, service),
            _canonical_query(query),
            *(f"{name}:{','.join(signed[name])}" for name in sorted(signed)),
            "",
            names,
            signed.get("x-amz-content-sha256", [hashlib.sha256(body).hexdigest()])[0],
        )
    )
    moment = signed["x-amz-date"][0]
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret_access_key}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    signature = _hmac(key, to_sign).hex()
    credential = f"Credential={access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return Signature(f"{_ALGORITHM} {credential}", canonical, to_sign)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _canonical_path(path: str, service: str) -> str:
    """S3 signs the path as its objects are named, every other service its normal form encoded twice.

    AWS decodes what it was sent before it encodes, so a sign that is sent as it is (``:``) counts as encoded here too.
    """
    if service != "s3":
        slash = "/" if path.endswith("/") else ""
        path = re.sub("/+", "/", posixpath.normpath(path or "/") + slash)
    once = "/".join(_encode(unquote(segment)) for segment in (path or "/").split("/"))
    return once if service == "s3" else quote(once, safe="/-_.~")


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _canonical_query(query: str) -> str:
    pairs = []
    for part in query.split("&"):
        if part:
            name, _equals, value = part.partition("=")
            pairs.append((_encode(unquote_plus(name)), _encode(unquote_plus(value))))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))
