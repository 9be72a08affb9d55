"""Finds runs that are green and probably wrong: n8n calls a run a success when nodes dropped every item or hid an error.

A finding needs a reason in the data: a condition that rightly drops items, a field that is there and empty, an error that
a later node handles are none. Pure, and reads names of fields and nodes only, never their values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hub.executions.expression_reads import find_missing, has_guard, is_expression

Json = dict[str, Any]

_PREFIX = "n8n-nodes-base."
_EXISTENCE = frozenset({"exists", "notExists", "empty", "notEmpty", "isEmpty", "isNotEmpty"})
_GLOB = frozenset("*?[{")


@dataclass(frozen=True, slots=True)
class Finding:
    """One sign that a success did not do its work. ``what`` names the field, path or file selector that it is about.

    ``kind``: ``null-value``, ``expression-failed``, ``field-not-found``, ``file-not-found``, ``condition-on-missing``,
    ``error-continued``, ``nothing-answered``. ``items_in`` and ``items_out`` count over all runs of the node.
    """

    kind: str
    node: str
    items_in: int
    items_out: int
    what: str = ""

    def to_json(self) -> Json:
        """Plain values for ``executions.suspicion``."""
        return asdict(self)


def find_suspicions(execution: Mapping[str, Any]) -> list[Finding]:
    """The findings of a successful execution in the form of n8n's public API, in the order in which the nodes ran.

    Empty too where its data was withheld or cut: nothing can be said of it then.
    """
    data = _mapping(execution.get("data"))
    if _mapping(data.get("redactionInfo")).get("isRedacted") or data.get("truncated"):
        return []
    runs = _mapping(_mapping(data.get("resultData")).get("runData"))
    workflow = _mapping(execution.get("workflowData"))
    picture = _Picture(runs, workflow)
    found = [finding for name in runs for finding in picture.examine(name)]
    return [*found, *picture.examine_answer(str(_mapping(data.get("resultData")).get("lastNodeExecuted") or ""))]


class _Picture:
    """The runs of one execution with the workflow that ran."""

    def __init__(self, runs: Json, workflow: Json) -> None:
        self._runs = runs
        self._nodes = {str(node.get("name")): node for node in _list(workflow.get("nodes")) if isinstance(node, dict)}
        self._links = _mapping(workflow.get("connections"))

    def examine(self, name: str) -> Iterator[Finding]:
        """What is odd about one node."""
        node = self._nodes.get(name)
        if node is None:
            return
        examiners = {
            "set": self._null_values,
            "splitOut": self._fields_not_found,
            "aggregate": self._fields_not_found,
            "readWriteFile": self._file_not_found,
            "readBinaryFile": self._file_not_found,
            "readBinaryFiles": self._file_not_found,
            "filter": self._condition_on_missing,
            "if": self._condition_on_missing,
        }
        kind = str(node.get("type", ""))
        if kind.startswith(_PREFIX) and (examiner := examiners.get(kind.removeprefix(_PREFIX))):
            yield from examiner(name, node)
        yield from self._error_continued(name, node)

    def examine_answer(self, last: str) -> Iterator[Finding]:
        """A webhook that was to answer with the last node's item, and there was none: its caller got an error 500."""
        webhook = next((node for name, node in self._nodes.items() if name in self._runs and _is_answering(node)), None)
        if webhook is not None and last in self._runs and not any(map(_first_output, _list(self._runs[last]))):
            yield Finding("nothing-answered", last, len(self._inputs(last)), 0)

    def _finding(self, kind: str, name: str, what: str = "") -> Finding:
        return Finding(kind, name, len(self._inputs(name)), sum(map(len, self._outputs(name))), what[:200])

    def _null_values(self, name: str, node: Json) -> Iterator[Finding]:
        """Edit Fields wrote null everywhere, because its expression reads a field that is nowhere."""
        parameters = _mapping(node.get("parameters"))
        items = [item for output in self._outputs(name) for item in output]
        if not items:
            return
        if parameters.get("mode") == "raw":
            text = parameters.get("jsonOutput")
            if is_expression(text) and any(value is None for value in items[0].values()):
                missing = self._missing(name, str(text))
                nulls = [key for key in items[0] if all(item.get(key) is None for item in items)]
                if missing and nulls:
                    yield self._finding("null-value", name, missing)
            return
        for assignment in map(_mapping, _list(_mapping(parameters.get("assignments")).get("assignments"))):
            text, field = assignment.get("value"), str(assignment.get("name"))
            if is_expression(text) and all(field in item and item[field] is None for item in items):
                missing = self._missing(name, str(text))
                if missing is not None:
                    yield self._finding("null-value" if missing else "expression-failed", name, missing or field)

    def _fields_not_found(self, name: str, node: Json) -> Iterator[Finding]:
        """n8n says so itself (2.x); earlier ones are asked by the data."""
        hints = [_mapping(hint) for run in _list(self._runs[name]) for hint in _list(_mapping(run).get("hints"))]
        groups = [_mapping(hint.get("group")) for hint in hints]
        labels = [str(group.get("label")) for group in groups if group.get("key") == "fieldNotFound"]
        if labels:
            yield self._finding("field-not-found", name, ", ".join(dict.fromkeys(labels)))
            return
        field = _mapping(node.get("parameters")).get("fieldToSplitOut")
        if not isinstance(field, str) or is_expression(field) or any(self._outputs(name)):
            return
        inputs = self._inputs(name)
        parts = [part.strip() for part in field.split(",")]
        if inputs and all(find_missing(f"={{{{ $json{_as_path(part)} }}}}", inputs, self._items_of) for part in parts):
            yield self._finding("field-not-found", name, field)

    def _file_not_found(self, name: str, node: Json) -> Iterator[Finding]:
        parameters = _mapping(node.get("parameters"))
        selector = str(parameters.get("fileSelector") or parameters.get("filePath") or "")
        if parameters.get("operation", "read") != "read" or node.get("alwaysOutputData") or _GLOB & set(selector):
            return
        if self._inputs(name) and not any(self._outputs(name)):
            yield self._finding("file-not-found", name, selector)

    def _condition_on_missing(self, name: str, node: Json) -> Iterator[Finding]:
        """No item passed, and the condition reads a field that no item has."""
        outputs, inputs = self._outputs(name), self._inputs(name)
        if not inputs or (outputs and outputs[0]):
            return
        for text, operation in _conditions(_mapping(node.get("parameters")).get("conditions")):
            if operation not in _EXISTENCE and (missing := self._missing(name, text)):
                yield Finding("condition-on-missing", name, len(inputs), 0, missing[:200])
                return

    def _error_continued(self, name: str, node: Json) -> Iterator[Finding]:
        """The node failed, is set to continue, and nothing after it asks for the error."""
        mode = node.get("onError") or ("continueRegularOutput" if node.get("continueOnFail") is True else None)
        raw = [output for run in _list(self._runs[name]) for output in enumerate(_raw_outputs(run))]
        if mode == "continueErrorOutput":
            last = max((index for index, _ in raw), default=0)
            failed = sum(len(items) for index, items in raw if index == last and index > 0)
            handled = bool(self._targets(name, last))
        elif mode == "continueRegularOutput":
            failed = sum(_has_error(item) for _, items in raw for item in items)
            handled = any(".error" in text for target in self._targets(name) for text in _texts(self._nodes.get(target)))
        else:
            return
        if failed and not handled:
            yield self._finding("error-continued", name, str(failed))

    def _missing(self, name: str, text: str) -> str | None:
        return None if has_guard(text) else find_missing(text, self._inputs(name), self._items_of)

    def _items_of(self, name: str) -> list[Json] | None:
        """All items that a node put out; None where it did not run."""
        return [item for output in self._outputs(name) for item in output] if name in self._runs else None

    def _targets(self, name: str, output: int | None = None) -> list[str]:
        outputs = _list(_mapping(self._links.get(name)).get("main"))
        chosen = outputs if output is None else outputs[output : output + 1]
        return [str(_mapping(link).get("node")) for links in chosen for link in _list(links)]

    def _outputs(self, name: str) -> list[list[Json]]:
        """``json`` of the items of each output, over all runs."""
        found: list[list[Json]] = []
        for run in _list(self._runs.get(name)):
            for index, items in enumerate(_raw_outputs(run)):
                while len(found) <= index:
                    found.append([])
                found[index] += [_mapping(item.get("json")) for item in items]
        return found

    def _inputs(self, name: str) -> list[Json]:
        """``json`` of the items that came in, over all runs."""
        found: list[Json] = []
        for run in map(_mapping, _list(self._runs.get(name))):
            for source in map(_mapping, _list(run.get("source"))):
                before = _list(self._runs.get(str(source.get("previousNode"))))
                which, output = source.get("previousNodeRun") or 0, source.get("previousNodeOutput") or 0
                if isinstance(which, int) and isinstance(output, int) and which < len(before):
                    outputs = _raw_outputs(before[which])
                    found += [_mapping(item.get("json")) for item in (outputs[output] if output < len(outputs) else [])]
        return found


def _is_answering(node: Json) -> bool:
    parameters = _mapping(node.get("parameters"))
    is_webhook = node.get("type") == _PREFIX + "webhook" and parameters.get("responseMode") == "lastNode"
    return is_webhook and parameters.get("responseData", "firstEntryJson") in ("firstEntryJson", "firstEntryBinary")


def _conditions(value: Any) -> Iterator[tuple[str, str]]:
    """(expression, operation) of each condition, in the forms of all versions of IF and Filter."""
    if isinstance(value, dict):
        left = value.get("leftValue", value.get("value1"))
        if is_expression(left):
            operator = value.get("operator")
            yield str(left), str(operator.get("operation") if isinstance(operator, dict) else value.get("operation", ""))
        for inner in value.values():
            yield from _conditions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _conditions(inner)


def _has_error(item: Json) -> bool:
    return bool(item.get("error")) or "error" in _mapping(item.get("json"))


def _as_path(field: str) -> str:
    return "".join(f"['{part}']" for part in field.removeprefix("$json.").split("."))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _texts(each)


def _raw_outputs(run: Any) -> list[list[Json]]:
    main = _list(_mapping(_mapping(run).get("data")).get("main"))
    return [[item for item in _list(output) if isinstance(item, dict)] for output in main]


def _first_output(run: Any) -> list[Json]:
    return next(iter(_raw_outputs(run)), [])


def _mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
