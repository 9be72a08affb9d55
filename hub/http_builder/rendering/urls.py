"""The URL of a request: values can fill in a part of it, and never become another host, parameter or folder."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus

from hub.contracts.http import Pair
from hub.egress import EgressError, Target, check_url
from hub.http_builder.rendering.renderer import Piece, Renderer

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST_VALUE = re.compile(r"(?:[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_LOOPBACK = re.compile(r"//(?:localhost|[^/?#]*\.localhost|127\.[0-9.]+|\[::1\])(?::[0-9]*)?(?:[/?#]|$)", re.IGNORECASE)
#: What RFC 3986 lets stand in a path segment as it is.
_SEGMENT = "!$&'()*+,;=:@-._~"
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def render_url(renderer: Renderer, template: str, query: list[str], place: str = "url") -> tuple[str, Target | None]:
    """The URL with ``query`` (encoded ``name=value``) behind its own; the target is None where the URL is not usable.

    A value may be the whole URL or its beginning (``{{BASE_URL}}/orders``). As a part of the host it has only plain host
    characters, in the path and the query it is percent-encoded. What the person wrote is kept, encoded where URLs need it.
    """
    problems = len(renderer.problems)
    text = _Composer(renderer, place).compose(template.strip())
    if text.startswith("//"):
        text = ("http:" if _LOOPBACK.match(text) else "https:") + text
        renderer.note("scheme-assumed", scheme=text.partition(":")[0])
    head, mark, own = text.partition("#")[0].partition("?")
    scheme, _slashes, rest = head.partition("://")
    authority, slash, path = rest.partition("/")
    path = _tidy(slash + path, "/[]") or "/"
    queries = "&".join(part for part in (_tidy(own, "/?[]"), *query) if part)
    address = f"{path}?{queries}" if queries or (mark and not query) else path
    if len(renderer.problems) > problems:
        return f"{scheme}://{authority}{address}", None
    try:
        target = check_url(f"{scheme}://{authority}{address}")
    except EgressError as error:
        renderer.refuse(place, error.code, **{name: value for name, value in error.details.items() if isinstance(value, str)})
        return f"{scheme}://{authority}{address}", None
    return target.origin + address, target


def render_query(renderer: Renderer, rows: tuple[Pair, ...]) -> list[str]:
    """``name=value`` of every enabled row, encoded as HTML forms and ``requests`` do (a space is ``+``)."""
    pairs = []
    for index, row in enumerate(rows):
        if row.enabled and (row.name or row.value):
            name = renderer.text(row.name, f"params.{index}.name")
            value = renderer.text(row.value, f"params.{index}.value")
            pairs.append(encode_parameter(name, value))
    return pairs


def encode_parameter(name: str, value: str) -> str:
    """``name=value`` as it stands in a query."""
    return f"{quote_plus(name, errors='replace')}={quote_plus(value, errors='replace')}"


def split_url(url: str) -> tuple[str, str, str]:
    """Authority, path and query of what ``render_url`` made; also of what is no usable URL."""
    rest, _mark, query = url.partition("://")[2].partition("?")
    authority, slash, path = rest.partition("/")
    return authority, slash + path, query


def _tidy(text: str, also: str) -> str:
    """Encode what a URL cannot hold (spaces, other scripts, a lone ``%``); what is encoded already stays."""
    return quote(_STRAY_PERCENT.sub("%25", text), safe=_SEGMENT + also + "%", errors="replace")


class _Composer:
    """Reads a template from left to right and knows at every value in which part of the URL it stands."""

    def __init__(self, renderer: Renderer, place: str) -> None:
        self._renderer = renderer
        self._place = place
        self._done = ""
        self._in_path: list[int] = []

    def compose(self, template: str) -> str:
        """The URL, beginning with its scheme, or with ``//`` where none is given."""
        pieces = list(self._renderer.pieces(template, self._place))
        if not "".join(piece.text for piece in pieces).strip():
            self._renderer.refuse(self._place, "url-missing")
            return "//"
        for index, piece in enumerate(pieces):
            if _CONTROL.search(piece.text):
                self._refuse(piece, "control-characters")
            following = pieces[index + 1].text if index + 1 < len(pieces) else ""
            self._done += self._begin(piece, following) if not self._done else self._continue(piece)
        self._refuse_dot_segments()
        return self._done

    def _begin(self, piece: Piece, following: str) -> str:
        text = piece.text.strip()
        if piece.value and following.startswith("://"):
            if text.lower() not in ("http", "https"):
                self._refuse(piece, "bad-url", reason="scheme")
                return "https"
            return text
        if _SCHEME.match(text) or piece.text.startswith("://"):
            return text
        return "//" + text.lstrip("/")

    def _continue(self, piece: Piece) -> str:
        if piece.value is None:
            return piece.text
        if "#" in self._done:
            return ""
        if "?" in self._done:
            return quote_plus(piece.text, errors="replace")
        if "/" in self._done.partition("//")[2]:
            return self._path_value(piece)
        if piece.value.secret:
            self._refuse(piece, "secret-in-host")
        if not _HOST_VALUE.fullmatch(piece.text):
            self._refuse(piece, "host-characters")
            return ""
        return piece.text

    def _path_value(self, piece: Piece) -> str:
        self._in_path.append(len(self._done))
        if "/" in piece.text and piece.value:
            self._renderer.note("slash-encoded", name=piece.value.name)
        return quote(piece.text, safe=_SEGMENT, errors="replace")

    def _refuse_dot_segments(self) -> None:
        """``..`` from a value would lead to another folder."""
        path = self._done.partition("#")[0].partition("?")[0]
        for start in self._in_path:
            first = path.rfind("/", 0, start) + 1
            segment = path[first:].partition("/")[0]
            if segment.lower().replace("%2e", ".") in (".", ".."):
                self._renderer.refuse(self._place, "dot-segment")

    def _refuse(self, piece: Piece, code: str, **details: str) -> None:
        name = {"name": piece.value.name} if piece.value else {}
        self._renderer.refuse(self._place, code, **name, **details)
