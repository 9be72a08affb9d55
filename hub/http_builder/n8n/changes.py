"""What a save changed in a workflow, and the way back that touches nothing else."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hub.analyses.patches import canonical, document_of

Json = dict[str, Any]


class ChangedSince(Exception):
    """Somebody has changed what the save had made. ``node`` is the name of the first such node."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node


def find_changes(before: Json, after: Json) -> Json:
    """``{"nodes": {name: [before, after]}, "connections": {source: [before, after]}}``; None where there was or is none."""
    old, new = _by_name(before), _by_name(after)
    nodes = {
        name: [old.get(name), new.get(name)]
        for name in [*old, *(name for name in new if name not in old)]
        if canonical(old.get(name)) != canonical(new.get(name))
    }
    links, new_links = before["connections"], after["connections"]
    connections = {
        source: [links.get(source), new_links.get(source)]
        for source in [*links, *(source for source in new_links if source not in links)]
        if canonical(links.get(source)) != canonical(new_links.get(source))
    }
    return {"nodes": nodes, "connections": connections}


def is_unsaved(workflow: Json, changes: Json) -> bool:
    """Whether the workflow is as it was before the save, as far as the save goes."""
    nodes, links = _by_name(workflow), document_of(workflow)["connections"]
    return all(_same_node(nodes.get(name), before) for name, (before, _) in changes["nodes"].items()) and all(
        canonical(links.get(source)) == canonical(before) for source, (before, _) in changes["connections"].items()
    )


def take_back(workflow: Json, changes: Json) -> Json:
    """The workflow's document without the save: its nodes and connections as they were, everything else as it is now.

    ``ChangedSince`` where a node or connection that the save made is another by now, or something new hangs on it. Where a
    node only stands elsewhere on the canvas, it stays there.
    """
    document = document_of(workflow)
    nodes, links = _by_name(document), document["connections"]
    for name, (_, after) in changes["nodes"].items():
        if not _same_node(nodes.get(name), after):
            raise ChangedSince(name)
    for source, (_, after) in changes["connections"].items():
        if canonical(links.get(source)) != canonical(after):
            raise ChangedSince(source)
    gone = {name for name, (before, _) in changes["nodes"].items() if before is None}
    for source, targets in _links(links):
        if source not in changes["connections"] and (source in gone or targets & gone):
            raise ChangedSince(source)
    document["nodes"] = [_restored(node, changes["nodes"]) for node in document["nodes"] if node.get("name") not in gone]
    for source, (before, _) in changes["connections"].items():
        if before is None:
            links.pop(source, None)
        else:
            links[source] = copy.deepcopy(before)
    return document


def _restored(node: Json, changed: Json) -> Json:
    if node.get("name") not in changed:
        return node
    before = copy.deepcopy(changed[node["name"]][0])
    return {**before, "position": node["position"]} if "position" in node else before


def _same_node(one: Json | None, other: Json | None) -> bool:
    if one is None or other is None:
        return one is other
    return canonical({**one, "position": None}) == canonical({**other, "position": None})


def _by_name(workflow: Json) -> dict[str, Json]:
    return {str(node.get("name")): node for node in workflow["nodes"] if isinstance(node, dict)}


def _links(connections: Json) -> Iterator[tuple[str, set[str]]]:
    for source, kinds in connections.items():
        outputs = (output for listed in kinds.values() for output in listed or ())
        yield source, {str(link.get("node")) for output in outputs for link in output or ()}
