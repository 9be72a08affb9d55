"""Text as coloured code: classes only, so that the strict policy for styles holds. Colours stand in ``static/css/code.css``."""

from __future__ import annotations

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import CssLexer, HtmlLexer, JavascriptLexer, JsonLexer, TextLexer, XmlLexer, YamlLexer

from hub.http_builder.responses.contents import Content, Kind, make_visible

#: How much of a text is coloured, in characters; what is longer is shown plain. The coloured form is up to ten times as long.
MAX_COLOURED = 20_000
#: A line that is this long is data, not code: colouring it may take for ever.
MAX_LINE = 5_000
MAX_MARKUP = 250_000

_FORMATTER = HtmlFormatter(nowrap=True, classprefix="hl-")
_KINDS: dict[Kind, type[Lexer]] = {Kind.JSON: JsonLexer, Kind.HTML: HtmlLexer, Kind.XML: XmlLexer}
_LEXERS: dict[str, type[Lexer]] = {
    "css": CssLexer,
    "javascript": JavascriptLexer,
    "ecmascript": JavascriptLexer,
    "yaml": YamlLexer,
    "svg": XmlLexer,
}


def colour(text: str, content: Content) -> Markup:
    """A stretch of a body as markup, every character of it escaped and visible."""
    plain = make_visible(text)
    lexer = _lexer(content)
    if lexer is TextLexer or len(plain) > MAX_COLOURED or max(map(len, plain.split("\n"))) > MAX_LINE:
        return escape(plain)
    shown = highlight(plain, lexer(stripnl=False, ensurenl=False), _FORMATTER)
    markup = Markup(shown)  # noqa: S704 # nosemgrep: markup-of-a-value (Pygments escapes)
    return markup if len(markup) <= MAX_MARKUP else escape(plain)


def _lexer(content: Content) -> type[Lexer]:
    by_kind = _KINDS.get(content.kind)
    return by_kind or next((lexer for word, lexer in _LEXERS.items() if word in content.media_type), TextLexer)
