"""Looks closer at how branches follow one another, and at workflows that are written into a parameter."""

from __future__ import annotations

import json
import re
from typing import Any

from plugins.analyzers.rules.case import Case, Json
from plugins.analyzers.rules.json_texts import repair_json_text
from plugins.analyzers.rules.node_references import node_references
from plugins.analyzers.rules.patch import WORKFLOW, Edit
from plugins.analyzers.rules.rule import Finding

#: Nodes that may give nothing, or wait for more than one branch.
_CHOOSING = frozenset(("if", "switch", "filter", "merge", "wait", "splitInBatches", "compareDatasets", "stopAndError"))
_ORDER = ("settings", "executionOrder")


def branches(case: Case) -> Finding | None:
    """The order that runs one branch to its end before the next, where the node read from is at the end of an earlier one."""
    missing = case.error.node_cause or ""
    if case.evidence.workflow["settings"].get(_ORDER[1]) != "v0" or case.evidence.node(missing) is None or case.has_run(missing):
        return None
    references = list(node_references(case, missing))
    if not references or any(".item" in entry.access or ".paired" in entry.access for entry in references):
        return None
    if any(len(sources) > 1 for sources in case.parents.values()):
        return None
    other, own = _line(case, missing), _line(case, str(case.name))
    fork = next((name for name in other if name in own), None)
    if fork is None or missing in own or fork in (missing, case.name):
        return None
    between = [missing, *other[: other.index(fork)]]
    first, second = between[-1], [str(case.name), *own[: own.index(fork)]][-1]
    if any(case.kind_of(name) in _CHOOSING or (case.evidence.node(name) or {}).get("disabled") for name in between):
        return None
    if not _before(case, first, second) or not _same_output(case, fork, first, second):
        return None
    return Finding(words={"missing": missing}, edits=(Edit(WORKFLOW, _ORDER, "v1"),))


def _line(case: Case, name: str) -> list[str]:
    """The nodes that lead to a node, the nearest first."""
    found: list[str] = []
    while parents := [entry for entry in case.parents.get(name, []) if entry not in found]:
        name = parents[0]
        found.append(name)
    return found


def _before(case: Case, first: str, second: str) -> bool:
    """Whether the one branch starts above the other: that is the order in which they run."""
    one, two = _place(case, first), _place(case, second)
    return one is not None and two is not None and one < two


def _place(case: Case, name: str) -> tuple[float, float] | None:
    position = (case.evidence.node(name) or {}).get("position")
    return (float(position[1]), float(position[0])) if isinstance(position, list) and len(position) == 2 else None


def _same_output(case: Case, fork: str, first: str, second: str) -> bool:
    outputs: list[Any] = (case.evidence.workflow["connections"].get(fork) or {}).get("main") or []
    targets = [{str(entry.get("node")) for entry in output or ()} for output in outputs]
    return any({first, second} <= names for names in targets)


def inline_workflow(case: Case) -> Finding | None:
    """A workflow written into a parameter as JSON that does not parse, with its slip repaired."""
    text = case.parameters.get("workflowJson")
    if not isinstance(text, str) or text.startswith("=") or _workflow(text) is not None:
        return None
    without = _without_last_commas(text)
    fixed = without if _workflow(without) is not None else None
    if fixed is None and "{{" not in text:
        made = repair_json_text(case, text)
        fixed = made if made is not None and _workflow(made) is not None else None
    edits = (Edit(str(case.name), ("parameters", "workflowJson"), fixed),) if fixed else ()
    return Finding(edits=edits)


def _without_last_commas(text: str) -> str:
    """The text without commas before a closing bracket, outside of quotes."""
    parts = re.split(r'("(?:\\.|[^"\\])*")', text)
    joined = [part if index % 2 else _LAST_COMMA.sub(r"\1", part) for index, part in enumerate(parts)]
    return "".join(joined)


_LAST_COMMA = re.compile(r",(\s*[}\]])")


def _workflow(text: str) -> Json | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) and isinstance(value.get("nodes"), list) else None
