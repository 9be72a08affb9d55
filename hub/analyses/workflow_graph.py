"""Who feeds whom in a workflow document."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def parents(workflow: Json) -> dict[str, list[str]]:
    """For each node the nodes that feed it, in the order of the connections."""
    found: dict[str, list[str]] = {}
    for source, kinds in workflow["connections"].items():
        for target in (entry for outputs in kinds.values() for output in outputs for entry in output or ()):
            feeding = found.setdefault(str(target.get("node")), [])
            if source not in feeding:
                feeding.append(source)
    return found


def ancestors(workflow: Json, name: str | None, depth: int | None = None) -> list[str]:
    """The nodes that lead to the named one (within that many steps), the nearest first."""
    edges = parents(workflow)
    found: dict[str, None] = {}
    border = [name] if name else []
    while border and depth != 0:
        following = dict.fromkeys(new for here in border for new in edges.get(here, ()) if new not in found and new != name)
        found.update(following)
        border, depth = list(following), None if depth is None else depth - 1
    return list(found)
