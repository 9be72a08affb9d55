"""The format in which a service wants the body, and the edits that send it so."""

from __future__ import annotations

from plugins.analyzers.rules.case import Case, Path
from plugins.analyzers.rules.fields import dig
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding, regex

_FORMATS = {
    "json": (regex(r"application/(?:[\w.]+\+)?json|\bjson\b"), "application/json"),
    "form-urlencoded": (
        regex(r"x-www-form-urlencoded|form[- ]url[- ]?encoded|urlencoded form"),
        "application/x-www-form-urlencoded",
    ),
    "multipart-form-data": (regex(r"multipart(?:/form-data)?"), "multipart/form-data"),
}


def other_media_type(case: Case) -> Finding:
    """The format that the answer asks for, and the edit that sends it."""
    current = str(case.parameters.get("contentType", "json"))
    named = [key for key, (pattern, _) in _FORMATS.items() if pattern.search(case.answer_text)]
    wanted = next((key for key in named if key != current), None)
    certainty = 1.0
    if wanted is None and current != "json":
        wanted, certainty = "json", 0.7
    header = _content_type_header(case)
    if wanted is None and header and current == "json":
        wanted = "json"
    if wanted is None or case.kind != "httpRequest":
        return Finding(words={"format": "?"})
    mime = _FORMATS[wanted][1]
    edits = (Edit(str(case.name), header, mime),) if header else _format_edits(case, current, wanted, mime)
    return Finding(words={"format": mime}, edits=edits, certainty=certainty)


def content_type_refused(case: Case) -> Finding | None:
    """A request that is refused for its content type, though not with 415."""
    finding = other_media_type(case)
    return finding if finding.edits else None


def _content_type_header(case: Case) -> Path | None:
    entries = dig(case.parameters, ("headerParameters", "parameters"))
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and str(entry.get("name", "")).strip().lower() == "content-type":
            return ("parameters", "headerParameters", "parameters", index, "value")
    return None


def _format_edits(case: Case, current: str, wanted: str, mime: str) -> tuple[Edit, ...]:
    name = str(case.name)
    if current == "raw":
        return (Edit(name, ("parameters", "rawContentType"), mime),) if wanted == "json" else ()
    has_pairs = bool(dig(case.parameters, ("bodyParameters", "parameters")))
    if not has_pairs or case.parameters.get("specifyBody", "keypair") != "keypair":
        return ()
    return (Edit(name, ("parameters", "contentType"), wanted),)
