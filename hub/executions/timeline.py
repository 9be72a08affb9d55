"""What an execution did, node by node, read from n8n's run data: order, times, states, and what each run took in and put out.

Everything is read with suspicion: the data may be cut, redacted, or written by n8n's recovery after a crash.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.workflows.graph import NodeState

#: Items shown of one input or output.
SHOWN_ITEMS = 20
#: n8n's crash recovery writes seconds where everything else is in milliseconds.
_MILLISECONDS_FROM = 100_000_000_000
_STATUSES = {"success": "success", "error": "failed", "crashed": "failed", "canceled": "canceled", "running": "running"}


@dataclass(frozen=True, slots=True)
class NodeRun:
    """One run of one node. Times are milliseconds; ``offset_ms`` counts from the start of the first node."""

    node: str
    run: int
    order: int
    status: str
    offset_ms: float
    duration_ms: float
    items_out: int
    error_message: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """All runs in their order. ``total_ms`` is the length of the picture."""

    runs: tuple[NodeRun, ...]
    total_ms: float

    def bar(self, run: NodeRun) -> tuple[float, float]:
        """(start, width) of a run's bar on a scale of 1000; wide enough to be seen."""
        start = 1000 * run.offset_ms / self.total_ms
        width = max(1000 * run.duration_ms / self.total_ms, 6)
        return min(start, 1000 - width), width


@dataclass(frozen=True, slots=True)
class ItemList:
    """The items of one input or output: where they came from or go to, the first of them, and how many there are."""

    label: str
    items: tuple[Any, ...]
    count: int


@dataclass(frozen=True, slots=True)
class NodeData:
    """What one run of a node took in and put out."""

    name: str
    run: int
    runs: int
    inputs: tuple[ItemList, ...]
    outputs: tuple[ItemList, ...]
    error: ErrorText | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ErrorText:
    """An error in n8n's words, without markup. ``code`` is an HTTP status or a network code."""

    message: str
    description: str
    node: str
    code: str
    kind: str
    answers: tuple[str, ...]
    stack: str


def read_timeline(run_data: Mapping[str, Any]) -> Timeline:
    """The runs of ``data.resultData.runData`` in the order in which they began."""
    raw = [(name, index, run) for name, runs in run_data.items() for index, run in enumerate(_runs(runs))]
    raw.sort(key=lambda entry: (_start_ms(entry[2]), _int(entry[2].get("executionIndex"))))
    first = min((_start_ms(run) for _, _, run in raw), default=0.0)
    rows = tuple(
        NodeRun(
            node=name,
            run=index,
            order=order,
            status=_status(run),
            offset_ms=_start_ms(run) - first,
            duration_ms=float(_int(run.get("executionTime"))),
            items_out=sum(len(items) for items in _outputs(run)),
            error_message=_text(_mapping(run.get("error")).get("message")),
        )
        for order, (name, index, run) in enumerate(raw, start=1)
    )
    return Timeline(rows, max([row.offset_ms + row.duration_ms for row in rows] + [1.0]))


def node_states(timeline: Timeline) -> dict[str, NodeState]:
    """The last state of each node that ran, for the picture of the workflow."""
    states: dict[str, NodeState] = {}
    for run in timeline.runs:
        before = states.get(run.node)
        states[run.node] = NodeState(
            status=run.status,
            order=before.order if before else run.order,
            runs=(before.runs if before else 0) + 1,
            duration_ms=(before.duration_ms or 0 if before else 0) + run.duration_ms,
            items=run.items_out,
        )
    return states


def read_node(run_data: Mapping[str, Any], workflow: Mapping[str, Any], name: str, run_number: int | None) -> NodeData | None:
    """Input and output of one run of a node, by default its last one; None where it did not run or does not exist."""
    runs = _runs(run_data.get(name))
    if not runs:
        return None
    number = len(runs) - 1 if run_number is None else max(0, min(run_number, len(runs) - 1))
    run = runs[number]
    document = next((node for node in _runs(workflow.get("nodes")) if node.get("name") == name), {})
    return NodeData(
        name=name,
        run=number,
        runs=len(runs),
        inputs=tuple(_inputs(run_data, run)),
        outputs=tuple(_listed(str(index), items) for index, items in enumerate(_outputs(run))),
        error=read_error(run.get("error")),
        parameters=_mapping(document.get("parameters")),
    )


def _inputs(run_data: Mapping[str, Any], run: Mapping[str, Any]) -> Iterator[ItemList]:
    """The outputs that fed a run: n8n keeps them with the node before, not with this one."""
    for source in _runs(run.get("source")):
        if not isinstance(source.get("previousNode"), str):
            continue
        name = source["previousNode"]
        previous = _runs(run_data.get(name))
        number, output = _int(source.get("previousNodeRun")), _int(source.get("previousNodeOutput"))
        outputs = _outputs(previous[number]) if number < len(previous) else []
        yield _listed(name, outputs[output] if output < len(outputs) else [])


def _listed(label: str, items: Sequence[Any]) -> ItemList:
    shown = tuple(_plain_item(item) for item in items[:SHOWN_ITEMS])
    return ItemList(label, shown, len(items))


def _plain_item(item: Any) -> Any:
    """An item's fields; of files only what they are, never their content."""
    if not isinstance(item, dict):
        return item
    fields = item.get("json", item)
    binary = {
        key: {name: part for name, part in _mapping(file).items() if name != "data"}
        for key, file in _mapping(item.get("binary")).items()
    }
    return {**fields, "(binary)": binary} if binary and isinstance(fields, dict) else fields


def read_error(error: Any) -> ErrorText | None:
    """An error object of n8n as text; None where there is none."""
    error = _mapping(error)
    message = _text(error.get("message"))
    if not message and not error.get("name"):
        return None
    code = error.get("httpCode") or error.get("code") or _mapping(error.get("cause")).get("code") or ""
    answers = error.get("messages")
    node = error.get("node")
    return ErrorText(
        message=message or _text(error.get("name")),
        description=_text(error.get("description")),
        node=_text(node.get("name") if isinstance(node, dict) else node),
        code=_text(code),
        kind=_text(error.get("name")),
        answers=tuple(_text(answer) for answer in answers if answer) if isinstance(answers, list) else (),
        stack=str(error.get("stack") or ""),
    )


def _status(run: Mapping[str, Any]) -> str:
    if run.get("error"):
        return "failed"
    return _STATUSES.get(str(run.get("executionStatus") or "success"), "success")


def _start_ms(run: Mapping[str, Any]) -> float:
    start = float(_int(run.get("startTime")))
    return start * 1000 if start < _MILLISECONDS_FROM else start


def _outputs(run: Mapping[str, Any]) -> list[list[Any]]:
    """The items of each output; parts of an agent put theirs out under another name than ``main``."""
    data = _mapping(run.get("data"))
    outputs: Any = data.get("main") or next((value for value in data.values() if value), [])
    return [items if isinstance(items, list) else [] for items in outputs] if isinstance(outputs, list) else []


def _runs(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _int(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _text(value: Any) -> str:
    """Plain words: n8n puts links and line breaks as HTML into descriptions."""
    plain = value if isinstance(value, str) else "" if value is None else str(value)
    return html.unescape(re.sub(r"<[a-zA-Z/][^>]{0,300}>", "", plain)).strip()
