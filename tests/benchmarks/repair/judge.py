"""Whether a run does what the workflow was made for, and what an analyzer's answers are worth."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.repair.cases import Case
from tests.benchmarks.repair.fault_server import Served

Json = dict[str, Any]


class Outcome(enum.StrEnum):
    """What became of a case once the analyzer had answered."""

    REPAIRED = "repaired"
    #: Offline: the hub would let the patch be applied. Whether it repairs is not known.
    APPLICABLE = "applicable"
    NO_PATCH = "no patch"
    STILL_FAILING = "still failing"
    #: The patch does not apply, or n8n does not accept the workflow.
    REFUSED = "refused"
    #: The hub's own policy keeps people from applying the patch.
    WITHHELD = "withheld by the hub"
    #: The run is green but does not do what it should.
    SWALLOWED = "green without the wanted output"
    #: The case has no check: nobody can say what a patch is worth.
    UNTRIED = "not tried"
    #: A patch for a case that no patch cures.
    UNWANTED = "not to be patched"


@dataclass(frozen=True)
class Answer:
    """What an analyzer says: the first patch that it suggests counts."""

    cause: str
    node: str | None
    confidence: float
    patch: Sequence[Json] | None
    source: str = ""


@dataclass(frozen=True)
class Row:
    """One case with its answer and outcome."""

    case: Case
    answer: Answer
    outcome: Outcome
    detail: str = ""

    @property
    def cause_right(self) -> bool:
        return self.answer.cause in self.case.expect["causes"]

    @property
    def node_right(self) -> bool:
        return self.answer.node in self.case.culprits

    @property
    def patchable(self) -> bool:
        return bool(self.case.expect["patchable"])

    @property
    def repaired(self) -> bool:
        return self.patchable and self.outcome in (Outcome.REPAIRED, Outcome.APPLICABLE)

    @property
    def harmful(self) -> bool:
        return self.outcome in (Outcome.UNWANTED, Outcome.REFUSED, Outcome.SWALLOWED)

    @property
    def solved(self) -> bool:
        """Nothing is left to wish for."""
        return self.cause_right and self.node_right and not self.harmful and (self.repaired or not self.patchable)

    def __str__(self) -> str:
        cause, node = ("ok" if right else "--" for right in (self.cause_right, self.node_right))
        said = f"{self.answer.cause}, {self.answer.confidence:.2f}, {self.answer.source}"
        harm = "  HARMFUL" if self.harmful else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.case.id:<34} cause {cause} ({said})  node {node}  {self.outcome}{detail}{harm}"


def score(rows: Sequence[Row], not_reproduced: int) -> str:
    """The score in one line, in the form of the repair bench."""
    total, patchable = len(rows), sum(row.patchable for row in rows)
    brier = sum((row.answer.confidence - row.cause_right) ** 2 for row in rows) / max(total, 1)
    withheld = sum(row.outcome is Outcome.WITHHELD for row in rows)
    return (
        f"cause {sum(row.cause_right for row in rows)}/{total}  node {sum(row.node_right for row in rows)}/{total}  "
        f"repaired {sum(row.repaired for row in rows)}/{patchable}  harmful {sum(row.harmful for row in rows)}/{total}  "
        f"brier {brier:.3f}  withheld {withheld}  not reproduced {not_reproduced}"
    )


def passes(check: Json, execution: Json | None, served: Sequence[Served]) -> bool:
    """Whether the run succeeded with the wanted output, and the service was really called (``served``: since the patch)."""
    if execution is None or execution.get("status") != check["status"]:
        return False
    return has_wanted_output(check, execution) and all(
        sum(call.method == wanted["method"] and call.path == wanted["path"] for call in served) >= wanted.get("times", 1)
        for wanted in check.get("served", ())
    )


def has_wanted_output(check: Json, execution: Json) -> bool:
    """Whether the items of the check's node, in its last run and on its first output, are as they should be."""
    runs = execution["data"]["resultData"]["runData"].get(check["output_node"])
    if not runs:
        return False
    outputs = (runs[-1].get("data") or {}).get("main") or [None]
    items = outputs[0] or []
    if "items" in check and len(items) != check["items"]:
        return False
    return all(_holds(items, assertion) for assertion in check.get("assert", ()))


def _holds(items: list[Json], assertion: Json) -> bool:
    found = _values_at(items, assertion["path"].split("."))
    if "equals" in assertion:
        return found == [assertion["equals"]]
    if "all" in assertion:
        return found == assertion["all"]
    texts = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in found]
    if "contains" in assertion:
        return any(assertion["contains"] in text for text in texts)
    return any(re.search(assertion["matches"], text) for text in texts)


def _values_at(value: Any, keys: Sequence[str]) -> list[Any]:
    """Every value at a path; ``*`` stands for each element of a list."""
    if not keys:
        return [value]
    key, rest = keys[0], keys[1:]
    if isinstance(value, list):
        chosen = value if key == "*" else value[int(key) : int(key) + 1] if key.isdigit() else []
        return [found for entry in chosen for found in _values_at(entry, rest)]
    return _values_at(value[key], rest) if isinstance(value, dict) and key in value else []
