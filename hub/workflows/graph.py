"""The picture of a workflow: where nodes, connections and notes stand, ready to be drawn as SVG.

Positions are n8n's own (top left corner of a node, 96 units wide). Whatever a document holds, a picture comes out: what has no
place gets one, connections to nodes that do not exist are left out.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.workflows.node_types import describe_type

SIZE = 96
MARGIN = 48
LABEL_HEIGHT = 52
LABEL_WIDTH = 22
STICKY = "n8n-nodes-base.stickyNote"
#: Positions beyond this are taken for mistakes: one stray node must not shrink all others to dots.
FARTHEST = 100_000


@dataclass(frozen=True, slots=True)
class NodeState:
    """What one execution did with a node. ``status`` is a word of ``hub.templating.STATUSES``."""

    status: str
    #: Position in the order of the run, from 1; None where it did not run.
    order: int | None = None
    runs: int = 0
    duration_ms: float | None = None
    items: int | None = None


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node as drawn. ``lines`` is its name, broken to fit beneath it."""

    name: str
    kind: str
    icon: str
    x: float
    y: float
    lines: tuple[str, ...]
    is_trigger: bool
    #: A part of another node (a model or a tool of an agent): drawn round, connected upwards.
    is_part: bool
    disabled: bool
    state: NodeState | None

    @property
    def status(self) -> str:
        """The state's word; a disabled node without a run is ``disabled``."""
        if self.state and self.state.status != "not-reached":
            return self.state.status
        return "disabled" if self.disabled else (self.state.status if self.state else "")


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """A connection as an SVG path. ``kind``: ``main``, ``error`` or ``part``. ``label`` tells several outputs apart."""

    path: str
    kind: str
    passed: bool
    label: str
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class GraphNote:
    """A sticky note: plain lines of its text, headings marked."""

    x: float
    y: float
    width: float
    height: float
    color: int
    lines: tuple[tuple[bool, str], ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole picture in n8n's coordinates."""

    x: float
    y: float
    width: float
    height: float
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    notes: tuple[GraphNote, ...]

    @property
    def view_box(self) -> str:
        return f"{self.x:g} {self.y:g} {self.width:g} {self.height:g}"


def build_graph(nodes: Sequence[Any], connections: Any, states: Mapping[str, NodeState] | None = None) -> Graph:
    """The picture of a workflow's nodes and connections; with ``states`` also of what an execution did."""
    documents = [node for node in nodes if isinstance(node, dict)]
    links = list(_links(connections))
    parts = {link.source for link in links if link.kind != "main"}
    drawn = [_draw_node(node, index, parts, states) for index, node in enumerate(documents) if node.get("type") != STICKY]
    drawn = list(_parted(drawn))
    notes = tuple(_draw_note(node, index) for index, node in enumerate(documents) if node.get("type") == STICKY)
    by_name = {node.name: node for node in drawn}
    routes = _Routes(links, {str(node.get("name")): node for node in documents})
    edges = tuple(
        routes.draw(link, by_name[link.source], by_name[link.target])
        for link in links
        if link.source in by_name and link.target in by_name
    )
    return _framed(tuple(drawn), edges, notes)


@dataclass(frozen=True, slots=True)
class _Link:
    source: str
    target: str
    kind: str
    output: int
    input: int


def _links(connections: Any) -> Iterator[_Link]:
    """Every connection of ``{source: {kind: [[{node, type, index}]]}}``; anything that is not so shaped is passed over."""
    for source, kinds in _pairs(connections):
        for kind, outputs in _pairs(kinds):
            for output, targets in enumerate(outputs if isinstance(outputs, list) else ()):
                for target in targets if isinstance(targets, list) else ():
                    if isinstance(target, dict) and "node" in target:
                        number = target.get("index")
                        yield _Link(source, str(target["node"]), kind, output, number if isinstance(number, int) else 0)


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    return iter(value.items()) if isinstance(value, dict) else iter(())


def _number(value: Any, fallback: float) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) <= FARTHEST
    return float(value) if usable else fallback


def _position(node: Mapping[str, Any], index: int) -> tuple[float, float]:
    """The node's place; one without gets the next free one of a row."""
    position = node.get("position")
    if isinstance(position, dict):
        position = [position.get("x"), position.get("y")]
    if not isinstance(position, list) or len(position) < 2:
        position = [None, None]
    return _number(position[0], index * 2.0 * SIZE), _number(position[1], 0.0)


def _draw_node(node: Mapping[str, Any], index: int, parts: set[str], states: Mapping[str, NodeState] | None) -> GraphNode:
    name = str(node.get("name") or "?")
    kind = describe_type(str(node.get("type") or ""))
    x, y = _position(node, index)
    return GraphNode(
        name=name,
        kind=kind.label,
        icon=kind.icon,
        x=x,
        y=y,
        lines=_wrapped(name),
        is_trigger=kind.is_trigger,
        is_part=name in parts,
        disabled=node.get("disabled") is True,
        state=states.get(name, NodeState("not-reached")) if states is not None else None,
    )


def _wrapped(name: str) -> tuple[str, ...]:
    """At most two lines; control characters, which XML does not allow, are taken out."""
    plain = re.sub(r"[\x00-\x1f\x7f]+", " ", name)
    return tuple(textwrap.wrap(plain, LABEL_WIDTH, max_lines=2, placeholder="…")) or ("?",)


def _parted(nodes: Sequence[GraphNode]) -> Iterator[GraphNode]:
    """Nodes that stand exactly on another one move down, so that each can be seen."""
    taken: set[tuple[float, float]] = set()
    for node in nodes:
        y = node.y
        while (node.x, y) in taken:
            y += 1.75 * SIZE
        taken.add((node.x, y))
        yield replace(node, y=y) if y != node.y else node


def _draw_note(node: Mapping[str, Any], index: int) -> GraphNote:
    parameters = dict(_pairs(node.get("parameters")))
    x, y = _position(node, index)
    color = parameters.get("color")
    return GraphNote(
        x=x,
        y=y,
        width=max(_number(parameters.get("width"), 240), 40),
        height=max(_number(parameters.get("height"), 160), 40),
        color=color if isinstance(color, int) and 1 <= color <= 7 else 1,
        lines=tuple(_plain_lines(str(parameters.get("content") or ""))),
    )


def _plain_lines(markdown: str) -> Iterator[tuple[bool, str]]:
    """A note's text without its Markdown signs: (is a heading, words)."""
    for line in markdown[:2000].splitlines()[:40]:
        plain = re.sub(r"!\[[^\]]*\]\([^)]*\)|\[([^\]]*)\]\([^)]*\)", r"\1", line)
        plain = re.sub(r"[*_`]{1,3}|<[^>]{1,200}>|[\x00-\x1f\x7f]", "", plain).strip()
        words = plain.lstrip("#>").strip()
        if words:
            yield plain.startswith("#"), words


class _Routes:
    """Paths between nodes: where an output leaves, where an input enters, and how to get around when that lies behind."""

    def __init__(self, links: Sequence[_Link], documents: Mapping[str, Mapping[str, Any]]) -> None:
        self._documents = documents
        self._outputs: dict[str, int] = {}
        self._inputs: dict[str, int] = {}
        for link in links:
            if link.kind == "main":
                self._outputs[link.source] = max(self._outputs.get(link.source, 1), link.output + 1)
                self._inputs[link.target] = max(self._inputs.get(link.target, 1), link.input + 1)
        for name, document in documents.items():
            if document.get("type") in ("n8n-nodes-base.if", "n8n-nodes-base.splitInBatches"):
                self._outputs[name] = max(self._outputs.get(name, 1), 2)

    def draw(self, link: _Link, source: GraphNode, target: GraphNode) -> GraphEdge:
        passed = all(node.state is not None and node.state.order is not None for node in (source, target))
        if link.kind != "main":
            return GraphEdge(_upward(source, target), "part", passed, "", 0, 0)
        outputs = self._outputs[link.source]
        start_x, start_y = source.x + SIZE, source.y + _handle(min(link.output, outputs - 1), outputs)
        end_x, end_y = target.x, target.y + _handle(link.input, self._inputs[link.target])
        kind, label = self._name_output(link, outputs)
        path = _forward(start_x, start_y, end_x, end_y) if end_x >= start_x else _backward(start_x, start_y, end_x, end_y)
        return GraphEdge(path, kind, passed, label, start_x + 10, start_y - 7)

    def _name_output(self, link: _Link, outputs: int) -> tuple[str, str]:
        """Kind of the edge and name of its output: n8n names those of If, and the last one may be for errors."""
        document = self._documents.get(link.source, {})
        if outputs > 1 and document.get("onError") == "continueErrorOutput" and link.output == outputs - 1:
            return "error", "error"
        if outputs == 1:
            return "main", ""
        names = {"n8n-nodes-base.if": ("true", "false"), "n8n-nodes-base.splitInBatches": ("done", "loop")}
        known = names.get(str(document.get("type")), ())
        return "main", known[link.output] if link.output < len(known) else str(link.output)


def _handle(number: int, count: int) -> float:
    """Height of one of several inputs or outputs on the side of a node."""
    return SIZE * (number + 1) / (count + 1)


def _forward(start_x: float, start_y: float, end_x: float, end_y: float) -> str:
    reach = max(min((end_x - start_x) / 2, 160), 24)
    return f"M{start_x:g} {start_y:g}C{start_x + reach:g} {start_y:g} {end_x - reach:g} {end_y:g} {end_x:g} {end_y:g}"


def _backward(start_x: float, start_y: float, end_x: float, end_y: float) -> str:
    """Down, beneath both nodes and their names, and up again."""
    below = max(start_y, end_y) + SIZE + LABEL_HEIGHT / 2
    middle = (start_x + end_x) / 2
    return (
        f"M{start_x:g} {start_y:g}C{start_x + 90:g} {start_y:g} {start_x + 90:g} {below:g} {start_x - 20:g} {below:g}"
        f"L{middle:g} {below:g}L{end_x + 20:g} {below:g}C{end_x - 90:g} {below:g} {end_x - 90:g} {end_y:g} {end_x:g} {end_y:g}"
    )


def _upward(source: GraphNode, target: GraphNode) -> str:
    """From the top of a part to the bottom of the node it belongs to."""
    start_x, start_y = source.x + SIZE / 2, source.y
    end_x, end_y = target.x + SIZE / 2, target.y + SIZE
    reach = max(abs(start_y - end_y) / 2, 30)
    return f"M{start_x:g} {start_y:g}C{start_x:g} {start_y - reach:g} {end_x:g} {end_y + reach:g} {end_x:g} {end_y:g}"


def _framed(nodes: tuple[GraphNode, ...], edges: tuple[GraphEdge, ...], notes: tuple[GraphNote, ...]) -> Graph:
    """The picture cut to what is in it. Backward edges run beneath their nodes, so paths count too."""
    boxes = [(node.x - 24, node.y, node.x + SIZE + 24, node.y + SIZE + LABEL_HEIGHT) for node in nodes]
    boxes += [(note.x, note.y, note.x + note.width, note.y + note.height) for note in notes]
    for edge in edges:
        numbers = [float(number) for number in re.findall(r"-?[\d.]+(?:e[+-]?\d+)?", edge.path)]
        boxes += [(x, y, x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    left, top, right, bottom = (0.0, 0.0, 4.0 * SIZE, 2.0 * SIZE)
    if boxes:
        left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
        right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    return Graph(left - MARGIN, top - MARGIN, right - left + 2 * MARGIN, bottom - top + 2 * MARGIN, nodes, edges, notes)
