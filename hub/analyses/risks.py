"""What a person should know before they agree to a change: what goes live, what repeats, what may take another way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.analyses.patches import Change
from hub.analyses.repair_guards import side_effects, writes
from hub.analyses.repair_run import ProofKind
from hub.contracts.analysis import Evidence

Json = dict[str, Any]

_ROUTERS = frozenset({"n8n-nodes-base.if", "n8n-nodes-base.filter", "n8n-nodes-base.switch"})
_LOOSENESS = ("typeValidation", "looseTypeValidation", "combinator", "combineOperation", "ignoreCase", "caseSensitive")
#: A node that an expression or Code reads beside its own input.
_READS = re.compile(r"""\$(?:node\[|\(|items\(|node\.)\s*['"`]?([^'"`\])]+)""")
_DEFAULT_TRIES = 3


@dataclass(frozen=True, slots=True)
class Notice:
    """A code of ``repair_words`` with what its sentence needs."""

    code: str
    details: Json = field(default_factory=dict)


def find_risks(change: Change, evidence: Evidence, base: Json, proofs: tuple[ProofKind, ...]) -> list[Notice]:
    """The risks of a change, those of the workflow as a whole first. ``base`` is what the analysis found of the workflow."""
    renamed = {"writes": "request-writes"}
    return [
        *_of_going_live(base, proofs),
        *_of_the_retry(change, evidence),
        *(Notice(renamed.get(code, code)) for code in change.cautions),
        *_of_the_nodes(change, evidence),
    ]


def _of_going_live(base: Json, proofs: tuple[ProofKind, ...]) -> Iterator[Notice]:
    by_retry = proofs[0] is ProofKind.RETRY
    if base["active"] and not base["draft_only"]:
        yield Notice("goes-live")
    elif base["draft_differs"]:
        yield Notice("draft-differs")
    elif by_retry:
        yield Notice("publishes" if base["active"] else "puts-back")
    if not by_retry:
        yield Notice("upstream")
    if ProofKind.WEBHOOK in proofs and base["draft_only"]:
        yield Notice("webhook-goes-live")


def _of_the_retry(change: Change, evidence: Evidence) -> Iterator[Notice]:
    writers = side_effects(change.document, evidence)
    if writers:
        yield Notice("writes", {"nodes": writers})
    failing = evidence.node(evidence.failing_node)
    if failing is not None and evidence.input_count > 1 and writes(failing):
        yield Notice("may-repeat", {"node": failing["name"], "count": evidence.input_count})


def _of_the_nodes(change: Change, evidence: Evidence) -> Iterator[Notice]:
    old_nodes = {node["name"]: node for node in evidence.workflow["nodes"]}
    for node in change.document["nodes"]:
        name = node["name"]
        old = old_nodes.get(name)
        if old is None or old == node:
            continue
        if _tries(node) > _tries(old) and writes(node):
            items = evidence.input_count if name == evidence.failing_node else 1
            yield Notice("retries-write", {"node": name, "tries": _tries(node), "count": max(items, 1) * _tries(node)})
        if node.get("executeOnce") and not old.get("executeOnce"):
            yield Notice("first-item-only", {"node": name})
        if node.get("type") in _ROUTERS and _is_looser(old.get("parameters"), node.get("parameters")):
            yield Notice("routes-differently", {"node": name})
        known = {name, *_read_nodes(old.get("parameters"))}
        if more := [other for other in _read_nodes(node.get("parameters")) if other not in known]:
            yield Notice("reads-more", {"node": name, "nodes": more})


def _tries(node: Json) -> int:
    """How often n8n tries the node's work at most."""
    if not node.get("retryOnFail"):
        return 1
    tries = node.get("maxTries", _DEFAULT_TRIES)
    return int(tries) if isinstance(tries, int | float) else _DEFAULT_TRIES


def _is_looser(before: Any, after: Any) -> bool:
    """Whether items may take another way: another validation or combination, or fewer conditions."""
    if isinstance(before, dict) or isinstance(after, dict):
        one, other = (each if isinstance(each, dict) else {} for each in (before, after))
        return any(
            (key in _LOOSENESS and one.get(key) != other.get(key)) or _is_looser(one.get(key), other.get(key))
            for key in one.keys() | other.keys()
        )
    if isinstance(before, list):
        entries = after if isinstance(after, list) else []
        return len(entries) < len(before) or any(map(_is_looser, before, entries))
    return False


def _read_nodes(value: Any) -> list[str]:
    """The nodes that the texts in a parameter's value refer to."""
    if isinstance(value, str):
        return [name.strip() for name in _READS.findall(value)] if "$" in value else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return list(dict.fromkeys(name for each in inner for name in _read_nodes(each)))
