"""Looks closer at requests that turn page after page and never come to an end."""

from __future__ import annotations

import re

from plugins.analyzers.rules.case import Case, Json, Path
from plugins.analyzers.rules.fields import dig
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding

_PAGING: Path = ("options", "pagination", "pagination")
_CURSOR = re.compile(r"\$response\.body((?:\??\.\w+)*?\??\.(\w*(?:cursor|token|after|continuation)\w*))", re.IGNORECASE)


def paging(case: Case) -> Finding:
    """A paging parameter that has the same value in every request."""
    entries = dig(case.parameters, ("options", "pagination", "pagination", "parameters", "parameters"))
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        value = str(entry.get("value", "")) if isinstance(entry, dict) else ""
        name = str(entry.get("name", "")).lower() if isinstance(entry, dict) else ""
        if "$pageCount" in value or "$response" in value or not re.search(r"page|offset|skip|start", name):
            continue
        path: Path = ("parameters", "options", "pagination", "pagination", "parameters", "parameters", index, "value")
        size = _page_size(case) if "page" not in name else None
        new = "={{ $pageCount + 1 }}" if "page" in name else f"={{{{ $pageCount * {size} }}}}" if size else None
        return Finding(words={"field": name}, edits=(Edit(str(case.name), path, new),) if new else ())
    return _cursor(case, entries) or _never_empty(case) or Finding(words={"field": ""})


def _page_size(case: Case) -> int | None:
    found = re.search(r"(?:limit|per_page|page_?size|take|count)\D{1,30}?(\d{1,4})", str(case.parameters))
    return int(found.group(1)) if found else None


def _cursor(case: Case, entries: object) -> Finding | None:
    """A number of the page sent to a service whose answers hold a cursor, as the node's own last condition knows."""
    end = str(dig(case.parameters, (*_PAGING, "completeExpression")))
    found = _CURSOR.search(end)
    counting = [
        index
        for index, entry in enumerate(entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and "$pageCount" in str(entry.get("value", ""))
    ]
    if not found or len(counting) != 1 or not isinstance(entries, list):
        return None
    name = re.sub(r"^next_?", "", found.group(2), flags=re.IGNORECASE)
    new: Json = {
        **entries[counting[0]],
        "name": name[:1].lower() + name[1:],
        "value": f"={{{{ $response.body{found.group(1)} }}}}",
    }
    path: Path = ("parameters", *_PAGING, "parameters", "parameters", counting[0])
    return Finding(words={"field": new["name"]}, edits=(Edit(str(case.name), path, new),))


def _never_empty(case: Case) -> Finding | None:
    """Paging that waits for an empty answer, where the list stands inside of an object that never is empty."""
    if dig(case.parameters, (*_PAGING, "paginationCompleteWhen")) not in ("responseIsEmpty",):
        return None
    lists = {_list_read(case, name) for name in case.children} - {None}
    if len(lists) != 1:
        return None
    path, name = ("parameters", *_PAGING), str(case.name)
    end = f"={{{{ !$response.body.{lists.pop()}?.length }}}}"
    return Finding(
        words={"field": ""},
        edits=(Edit(name, (*path, "paginationCompleteWhen"), "other"), Edit(name, (*path, "completeExpression"), end)),
    )


def _list_read(case: Case, name: str) -> str | None:
    """The list of the answer that the next node takes apart."""
    node = case.evidence.node(name) or {}
    field = dig(node, ("parameters", "fieldToSplitOut"))
    if case.kind_of(name) == "splitOut" and isinstance(field, str) and re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", field):
        return field
    code = str(dig(node, ("parameters", "jsCode")))
    read = set(re.findall(r"\.json\.(\w+)(?:\.(?:map|filter|flatMap|forEach|reduce)\b|\s*\))", code))
    return read.pop() if len(read) == 1 and case.kind_of(name) == "code" else None
