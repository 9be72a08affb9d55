"""What is shown of a body at once: a piece of its tree, a stretch of its text, its lines, its picture or its first bytes."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from hub.http_builder.models import RequestRun
from hub.http_builder.rendering.placeholders import names_in
from hub.http_builder.responses.contents import Content, Kind, hex_lines, make_visible, read_content
from hub.http_builder.responses.finding import MAX_MATCHES, Matches, find_in_json, find_in_text, find_path
from hub.http_builder.responses.highlighting import MAX_COLOURED, colour
from hub.http_builder.responses.tree import Piece, clip, cut_piece, kind_of
from hub.http_builder.responses.values import (
    Keys,
    Position,
    find_node,
    json_path,
    n8n_expression,
    parse_json,
    read_position,
    write_json,
)
from hub.http_builder.running.searching import Body, find_places

#: How much of a text is shown at once, in characters; escaped it is up to six times as long.
STRETCH = MAX_COLOURED
#: Lines or events that are shown at once, and letters of each.
ROWS, MAX_ROW = 100, 300
MAX_NODE = 5_000
MAX_ASKED = 1_000
VIEWS = ("pretty", "raw", "hex")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. ``at`` and ``node`` are addresses in the tree, ``first`` an entry, line or character."""

    view: str = "pretty"
    find: str = ""
    at: Position = ()
    node: Position | None = None
    first: int = 0

    @classmethod
    def read(cls, values: Any) -> Asked:
        """From the parameters of an address; what makes no sense is left out."""
        first = values.get("from", "")
        return cls(
            view=values.get("view") if values.get("view") in VIEWS else "pretty",
            find=values.get("find", "").strip()[:MAX_ASKED],
            at=read_position(values.get("at", "")),
            node=read_position(values["node"]) if "node" in values else None,
            first=int(first) if first.isascii() and first.isdigit() and len(first) < 9 else 0,
        )


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the tree with the ways to name it. ``value`` is a short form of it, harmless."""

    at: Position
    keys: Keys
    value: Any
    kind: str
    path: str
    expression: str
    text: str
    is_cut: bool
    is_item: bool
    variable: str

    @property
    def can_equal(self) -> bool:
        """Whether a test can demand this very value: one with a placeholder in it would stand for another."""
        return self.kind in ("string", "number", "word") and not self.is_cut and not names_in(self.text)


@dataclass(slots=True)
class BodyView:
    """What is shown of a body. ``shows``: empty, tree, rows, text, image, hex or file; ``rest`` is where the rest begins.

    ``problem``: a code of ``describe_problem``; ``reason`` is the JSON reader's word for what is wrong.
    """

    content: Content
    asked: Asked
    size: int
    shows: str = "text"
    views: tuple[str, ...] = ()
    piece: Piece | None = None
    rows: list[tuple[int, str, str]] = field(default_factory=list)
    text: Markup = field(default_factory=Markup)
    rest: int | None = None
    hex: list[tuple[str, str, str]] = field(default_factory=list)
    matches: Matches | None = None
    node: Node | None = None
    problems: list[str] = field(default_factory=list)
    reason: str = ""


def show_body(run: RequestRun, body: bytes, asked: Asked) -> BodyView:
    """What the address asks for of a run's body. Never raises, whatever the body is."""
    content = read_content(run, body)
    view = BodyView(content, asked, len(body), problems=[content.problem] if content.problem else [])
    if content.kind is Kind.EMPTY:
        view.shows = "empty"
        return view
    has_text = content.text is not None
    view.views = VIEWS if has_text else ("pretty", "hex")
    if asked.view == "hex":
        view.shows, view.hex = "hex", hex_lines(body)
    elif content.kind is Kind.IMAGE:
        view.shows = "image"
    elif not has_text:
        view.shows, view.hex = "file", hex_lines(body)
    else:
        _show_text(view, run)
    return view


def _show_text(view: BodyView, run: RequestRun) -> None:
    text, asked = view.content.text or "", view.asked
    root: Any = None
    is_tree = False
    if view.content.kind is Kind.JSON and (asked.view == "pretty" or asked.find):
        try:
            root, is_tree = parse_json(text), True
        except ValueError as error:
            view.problems.append("cut-json" if run.truncated else "no-json")
            view.reason = str(error)
    if asked.find:
        view.matches = _find(text, root, is_tree, asked.find)
    if is_tree and asked.view == "pretty":
        try:
            view.piece, view.shows = cut_piece(root, asked.at, asked.first), "tree"
            view.node = show_node(root, asked.node) if asked.node is not None else None
        except LookupError:
            view.piece, view.shows = cut_piece(root), "tree"
        return
    if view.content.kind in (Kind.LINES, Kind.EVENTS) and asked.view == "pretty":
        view.shows = "rows"
        rows = _events(text) if view.content.kind is Kind.EVENTS else _lines(text)
        shown = list(itertools.islice(rows, asked.first, asked.first + ROWS + 1))
        view.rows, view.rest = shown[:ROWS], asked.first + ROWS if len(shown) > ROWS else None
        return
    start = min(asked.first, len(text))
    end = _stretch_end(text, start)
    view.rest = end if end < len(text) else None
    view.text = Markup.escape(make_visible(text[start:end])) if asked.view == "raw" else colour(text[start:end], view.content)


def _stretch_end(text: str, start: int) -> int:
    """Where a stretch ends: behind a line where one ends near."""
    end = start + STRETCH
    if end >= len(text):
        return len(text)
    line = text.rfind("\n", start + STRETCH // 2, end)
    return line + 1 if line > 0 else end


def _find(text: str, root: Any, is_tree: bool, words: str) -> Matches:
    if is_tree and re.match(r"\$(?:[.\[]|$)", words):
        places = find_places(words, Body(text), MAX_MATCHES)
        found = [(keys, _value_at(root, keys)) for keys in places.keys]
        return find_path(root, found, places.problem, places.complete)
    return find_in_json(root, words) if is_tree else find_in_text(text, words)


def _value_at(root: Any, keys: Keys) -> Any:
    for key in keys:
        root = root[key]
    return root


def show_node(root: Any, position: Position) -> Node:
    """A node with its names; LookupError where there is none."""
    keys, value = find_node(root, position)
    text, is_cut = clip(value if isinstance(value, str) else write_json(value, MAX_NODE), MAX_NODE)
    # n8n makes an item of each entry of an array.
    is_item = bool(keys) and isinstance(keys[0], int)
    name = next((key for key in reversed(keys) if isinstance(key, str)), "value")
    return Node(
        at=position,
        keys=keys,
        value=value,
        kind=kind_of(value),
        path=json_path(keys),
        expression=n8n_expression(keys[1:] if is_item else keys),
        text=text,
        is_cut=is_cut or text.endswith("…"),
        is_item=is_item,
        variable=re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.-")[:60] or "value",
    )


def _lines(text: str) -> Any:
    filled = (line.strip("\x1e\r ") for line in text.split("\n"))
    for number, line in enumerate((line for line in filled if line), 1):
        yield number, "", _clip(line)


def _events(text: str) -> Any:
    """The events of a text/event-stream: number, name, data."""
    for number, block in enumerate((block for block in re.split(r"(?:\r\n|\r|\n){2,}", text) if block.strip()), 1):
        fields = [line.partition(":") for line in block.splitlines() if not line.startswith(":")]
        name = next((value.strip() for key, _colon, value in fields if key == "event"), "")
        data = "\n".join(value.removeprefix(" ") for key, _colon, value in fields if key == "data")
        yield number, _clip(name), _clip(data)


def _clip(text: str) -> str:
    shown, is_cut = clip(text, MAX_ROW)
    return shown + "…" if is_cut else shown
