"""Set-Cookie headers as rows: RFC 6265, 5.2, forgiving like a browser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_COOKIES = 50


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie. ``expires`` is the text of Max-Age or Expires, empty for the session."""

    name: str
    value: str
    domain: str = ""
    path: str = ""
    expires: str = ""
    secure: bool = False
    http_only: bool = False
    same_site: str = ""


def read_cookies(headers: Iterable[Sequence[str]]) -> list[Cookie]:
    """The cookies that an answer sets, at most ``MAX_COOKIES``."""
    lines = [header[1] for header in headers if header[0].lower() == "set-cookie"]
    return [_cookie(line) for line in lines[:MAX_COOKIES]]


def _cookie(line: str) -> Cookie:
    first, *rest = line.split(";")
    name, equals, value = first.partition("=")
    given = {key.strip().lower(): text.strip() for key, _equals, text in (part.partition("=") for part in rest)}
    return Cookie(
        name=name.strip() if equals else "",
        value=(value if equals else first).strip(),
        domain=given.get("domain", ""),
        path=given.get("path", ""),
        expires=f"Max-Age {given['max-age']}" if given.get("max-age") else given.get("expires", ""),
        secure="secure" in given,
        http_only="httponly" in given,
        same_site=given.get("samesite", ""),
    )
