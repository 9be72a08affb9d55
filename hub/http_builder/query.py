"""Between the query of a URL, as it is written in one line, and the rows of the parameter table.

A query is taken apart only where putting it together again gives the very same text; any other stays in the URL as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from hub.contracts.http import Pair

#: Placeholders stay readable; the rest is what ends or changes a query. `static/js/query.js` has the same rule.
_PART = re.compile(r"\{\{.*?\}\}|[\x00-\x20\"<>#&+%\x7f]")
_NAME_PART = re.compile(r"\{\{.*?\}\}|[\x00-\x20\"<>#&+%=\x7f]")


def join_url(url: str, rows: Iterable[Pair]) -> str:
    """``url`` (which has no query) with the enabled rows as its query, before a fragment."""
    query = "&".join(f"{_encode(_NAME_PART, row.name)}={_encode(_PART, row.value)}" for row in rows if row.enabled and row.name)
    base, mark, fragment = url.partition("#")
    return f"{base}?{query}{mark}{fragment}" if query else url


def split_url(url: str) -> tuple[str, list[Pair]] | None:
    """The URL without its query, and the query's rows; None where the query has to stay as it is written."""
    if url.startswith("="):
        return None
    head, mark, fragment = url.partition("#")
    base, question, query = head.partition("?")
    base += mark + fragment
    if not question:
        return base, []
    parts = [part.partition("=") for part in query.split("&")]
    rows = [Pair(name=unquote(name), value=unquote(value)) for name, _, value in parts]
    return (base, rows) if join_url(base, rows) == url else None


def show_url(url: str, params: Sequence[Pair]) -> tuple[str, list[Pair]]:
    """What the URL's field and the parameter table show of a stored request: the same parameters in both, where that can be."""
    split = split_url(url)
    if split is None:
        return url, list(params)
    base, rows = split[0], [*split[1], *params]
    shown = join_url(base, rows)
    again = split_url(shown)
    enabled = [(row.name, row.value) for row in rows if row.enabled and row.name]
    if again is None or [(row.name, row.value) for row in again[1]] != enabled:
        return url, rows
    return shown, rows


def merge_query(url: str, shown: str, rows: Sequence[Pair]) -> tuple[str, tuple[Pair, ...]]:
    """What to store of the URL's field and the parameter table: ``shown`` is what the field held when the page was made.

    Whichever of the two the person changed counts; where they changed the URL, disabled rows and descriptions stay.
    """
    split = split_url(url)
    if split is None:
        return url, tuple(rows)
    return split[0], tuple(rows) if url == shown else tuple(_merge(split[1], rows))


def _merge(written: Sequence[Pair], rows: Sequence[Pair]) -> list[Pair]:
    waiting = list(written)
    merged = []
    for row in rows:
        if not row.enabled:
            merged.append(row)
            continue
        same = next((pair for pair in waiting if pair.name == row.name), None)
        if same is not None:
            waiting.remove(same)
            merged.append(row.model_copy(update={"value": same.value}))
    return merged + waiting


def _encode(part: re.Pattern[str], text: str) -> str:
    return part.sub(lambda found: found[0] if len(found[0]) > 1 else f"%{ord(found[0]):02X}", text)
