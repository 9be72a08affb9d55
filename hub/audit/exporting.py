"""Events as CSV for people and spreadsheets, and as JSON Lines for programs; both carry what verifies a row."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Iterable, Iterator

from hub.audit.services import EventRow

COLUMNS = tuple(field.name for field in dataclasses.fields(EventRow))
#: A cell that begins so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(events: Iterable[EventRow]) -> Iterator[str]:
    """A heading, then a line an event. Details are JSON. A cell that a spreadsheet would run gets a ' in front."""
    yield _csv_line(COLUMNS)
    for event in events:
        yield _csv_line([_cell(value) for value in _plain(event).values()])


def as_json_lines(events: Iterable[EventRow]) -> Iterator[str]:
    """A JSON object a line."""
    for event in events:
        yield json.dumps(_plain(event), ensure_ascii=False) + "\n"


#: Format -> the function that writes it, and its media type.
FORMATS: dict[str, tuple[Callable[[Iterable[EventRow]], Iterator[str]], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "jsonl": (as_json_lines, "application/jsonl; charset=utf-8"),
}


def _plain(event: EventRow) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(event, name) for name in COLUMNS}
    return {**values, "created_at": event.created_at.isoformat(timespec="microseconds")}


def _cell(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | bool) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
