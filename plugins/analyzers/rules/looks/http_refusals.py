"""Looks closer at requests whose format of the answer, address or moment the service refuses."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from plugins.analyzers.rules.case import Case, Path
from plugins.analyzers.rules.fields import dig
from plugins.analyzers.rules.json_texts import expression_value
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding, regex
from plugins.analyzers.rules.templates import is_template, placeholders

_MIME = re.compile(r"\b(?:application|text|image|audio)/[\w.+\-]+")
_USE_POST = regex(
    r"\b(?:use|send|try|via|with|by|as an?|with an?|using|nutzen sie|utilisez|استخدم)\s+(?:HTTP )?POST\b"
    r"|\bPOST (?:it|request|instead)"
)
_FORM = regex(r"urlencoded|form[- ](?:data|body)|multipart")
#: Outside of placeholders, whose code may divide or comment.
_TWO_SLASHES = re.compile(r"(?<!/)//+(?![^{]*\}\})")
_NEXT_URL: Path = ("options", "pagination", "pagination", "nextURL")
#: Fields that hold a path on purpose: its slashes are to stay.
_PATHS = regex(r"path|url|uri|link|href|route|endpoint|folder|dir|location|resource")


def other_answer_format(case: Case) -> Finding:
    """The format of the answer that the service names as one that it has."""
    header = _header(case, "accept")
    asked = str(dig(case.node, header)) if header else ""
    named = [mime for mime in dict.fromkeys(_MIME.findall(case.answer_text)) if mime.lower() not in asked.lower()]
    wanted = "application/json" if "application/json" in named else named[0] if len(named) == 1 else None
    if header is None or wanted is None or case.kind != "httpRequest":
        return Finding(words={"format": wanted or "?"})
    return Finding(words={"format": wanted}, edits=(Edit(str(case.name), header, wanted),))


def _header(case: Case, name: str) -> Path | None:
    entries = dig(case.parameters, ("headerParameters", "parameters"))
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and str(entry.get("name", "")).strip().lower() == name:
            return ("parameters", "headerParameters", "parameters", index, "value")
    return None


def posted_query(case: Case) -> Finding:
    """A query that is too long for an address, sent as a JSON body where the service says that it takes one."""
    query = dig(case.parameters, ("queryParameters", "parameters"))
    parameters = case.parameters
    fits = case.kind == "httpRequest" and isinstance(query, list) and query and not parameters.get("sendBody")
    if not fits or case.method != "GET" or not _USE_POST.search(case.answer_text) or _FORM.search(case.answer_text):
        return Finding()
    changes = (("method", "POST"), ("sendQuery", False), ("sendBody", True), ("bodyParameters", {"parameters": query}))
    return Finding(edits=tuple(Edit(str(case.name), ("parameters", key), value) for key, value in changes))


def absolute_next_page(case: Case) -> Finding | None:
    """A link to the next page that lacks its host, put behind the host of the node's own address."""
    url, text = case.parameters.get("url"), dig(case.parameters, _NEXT_URL)
    shown = re.search(r"'([^']*)' is not a valid URL", case.error.message)
    code = re.fullmatch(r"=\s*\{\{((?:(?!\}\})[\s\S])*)\}\}\s*", text) if isinstance(text, str) else None
    if not isinstance(url, str) or code is None or shown is None:
        return None
    parts, link, inner = urlsplit(url.removeprefix("=")), shown.group(1), code.group(1).strip()
    if "{{" in url or parts.scheme not in ("http", "https") or not re.fullmatch(r"\$response(?:\??\.\w+|\[['\"\w]+\])+", inner):
        return Finding(words={"link": link})
    origin = f"{parts.scheme}://{parts.netloc}"
    if re.match(r"/(?!/)", link):
        base = origin
    elif link.startswith("?"):
        base = f"{origin}{parts.path}"
    else:
        return Finding(words={"link": link})
    edit = Edit(str(case.name), ("parameters", *_NEXT_URL), f"={{{{ '{base}' + {inner} }}}}")
    return Finding(words={"link": link}, edits=(edit,))


def encoded_segment(case: Case) -> Finding | None:
    """A value with ``/``, ``?`` or ``#`` that stands as it is between two slashes of the address."""
    url = case.parameters.get("url")
    if case.kind != "httpRequest" or not isinstance(url, str) or not is_template(url):
        return None
    for place in placeholders(url):
        before, after = url[: place.start - 2].removeprefix("="), url[place.end + 2 :]
        code = place.code.strip()
        whole = re.match(r"https?://[^/?#]+/(?:[^?#]*/)?$", before) and (not after or after[0] in "/?#")
        if not whole or re.search(r"encodeURI|urlEncode", code) or _PATHS.search(code.rsplit(".", 1)[-1]):
            continue
        value = expression_value(case, code)
        if isinstance(value, str) and _is_broken_id(value):
            new = f"{url[: place.start]} encodeURIComponent({code}) {url[place.end :]}"
            return Finding(words={"value": value}, edits=(Edit(str(case.name), ("parameters", "url"), new),))
    return None


def double_slash(case: Case) -> Finding | None:
    """Two slashes in the part of an address that is typed out; an address within the address is left alone."""
    url = case.parameters.get("url")
    if case.kind != "httpRequest" or not isinstance(url, str):
        return None
    start, mark, rest = url.partition("://")
    path = re.match(r"[^?#]*", rest)
    fixed = _TWO_SLASHES.sub("/", path.group()) if mark and path else ""
    if not path or fixed == path.group() or "://" in path.group():
        return None
    edit = Edit(str(case.name), ("parameters", "url"), f"{start}{mark}{fixed}{rest[path.end() :]}")
    return Finding(edits=(edit,))


def _is_broken_id(value: str) -> bool:
    """Whether a text is one name or number that holds a sign of addresses, not a path of its own."""
    if "://" in value or value != value.strip("/") or re.search(r"[?&]\w+=", value):
        return False
    return bool(re.search(r"[?#]", value)) or ("/" in value and value.count("/") < 3 and bool(re.search(r"\d", value)))
