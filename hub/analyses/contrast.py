"""What was different when the workflow last worked: the failing node's input, and the workflow itself. Holds no values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rapidfuzz import fuzz

from hub.analyses.json_shape import type_name
from hub.analyses.patches import matches_hidden
from hub.contracts.analysis import FieldChange, LastSuccess, WorkflowChange

Json = dict[str, Any]

#: How many changes are kept, how deep items are compared, and how many of them say what fields there are.
_MOST_CHANGES, _DEPTH, _ITEMS = 40, 5, 20
_ALIKE = 75
_NODE_KEYS = (
    "typeVersion",
    "disabled",
    "onError",
    "continueOnFail",
    "retryOnFail",
    "executeOnce",
    "alwaysOutputData",
    "credentials",
)


def compare(
    success: Json, failed_input: list[Json], failing_node: str | None, before: Json, after: Json, *, was_called: str | None = None
) -> LastSuccess:
    """The contrast of a successful execution (n8n's public API, with data) with a failed one.

    ``failed_input`` are the failing node's input items (their JSON); ``before`` and ``after`` the workflow documents of the
    two runs. ``was_called`` is the failing node's name in the success where it was renamed since.
    """
    runs = _mapping(_mapping(_mapping(success.get("data")).get("resultData")).get("runData"))
    name = was_called or failing_node
    entries = runs.get(str(name))
    run = _mapping(entries[-1]) if isinstance(entries, list) and entries else None
    given = _source_items(runs, run) if run is not None else []
    return LastSuccess(
        execution_id=str(success.get("id")),
        started_at=str(success["startedAt"]) if success.get("startedAt") else None,
        compared=bool(given and failed_input),
        input_count=len(given) if run is not None else None,
        output_count=len(_items(run)) if run is not None else None,
        input_changes=tuple(compare_items(given, failed_input)) if given and failed_input else (),
        workflow_changes=tuple(compare_workflows(before, after)),
    )


def compare_items(before: list[Json], after: list[Json]) -> list[FieldChange]:
    """Fields that are gone, new, renamed or of another type, by what the first items of each have."""
    old, new = _fields(before), _fields(after)
    gone = [path for path in old if path not in new and _parent(path) in {"", *new}]
    come = [path for path in new if path not in old and _parent(path) in {"", *old}]
    changes = []
    for path in gone:
        if heir := _heir(path, old[path], {other: new[other] for other in come}):
            come.remove(heir)
            changes.append(FieldChange(kind="renamed", path=path, was=old[path], now=heir))
        else:
            changes.append(FieldChange(kind="gone", path=path, was=old[path]))
    changes += [FieldChange(kind="new", path=path, now=new[path]) for path in come]
    changes += [
        FieldChange(kind="type", path=path, was=kind, now=new[path])
        for path, kind in old.items()
        if path in new and new[path] != kind
    ]
    return changes[:_MOST_CHANGES]


def compare_workflows(before: Json, after: Json) -> list[WorkflowChange]:
    """The places that differ. Default values that n8n writes into a version that ran count as no change."""
    old, new = _nodes(before), _nodes(after)
    renamed = find_renamed(before, after)
    changes = [WorkflowChange(kind="node-renamed", node=name, place=now) for name, now in renamed.items()]
    changes += [WorkflowChange(kind="node-removed", node=name) for name in old if name not in new and name not in renamed]
    changes += [WorkflowChange(kind="node-added", node=name) for name in new if name not in old and name not in renamed.values()]
    for name, node in old.items():
        other = new.get(renamed.get(name, name))
        if other is None:
            continue
        if node.get("type") != other.get("type"):
            changes.append(WorkflowChange(kind="node-type", node=str(other.get("name"))))
        changes += [
            WorkflowChange(kind="parameter", node=str(other.get("name")), place=place) for place in _node_places(node, other)
        ]
    changes += _connection_changes(before, after, renamed)
    changes += [
        WorkflowChange(kind="settings", place=place)
        for place in _places(_mapping(before.get("settings")), _mapping(after.get("settings")), "")
    ]
    return changes[:_MOST_CHANGES]


def find_renamed(before: Json, after: Json) -> dict[str, str]:
    """Old and new names of nodes that kept their id."""
    ids = {node["id"]: name for name, node in _nodes(after).items() if node.get("id")}
    pairs = {name: ids.get(node.get("id")) for name, node in _nodes(before).items()}
    new = _nodes(after)
    return {name: now for name, now in pairs.items() if now and now != name and name not in new}


def _heir(path: str, kind: str, candidates: dict[str, str]) -> str | None:
    """The new field that took the place of one that is gone: beside it, of its type, and alike or the only one."""
    beside = [other for other, other_kind in candidates.items() if _parent(other) == _parent(path) and other_kind == kind]
    ranked = sorted(beside, key=lambda other: (-fuzz.ratio(_plain(path), _plain(other)), other))
    if ranked and (fuzz.ratio(_plain(path), _plain(ranked[0])) >= _ALIKE or _contains(path, ranked[0])):
        return ranked[0]
    return None


def _contains(path: str, other: str) -> bool:
    one, two = _plain(path), _plain(other)
    return min(len(one), len(two)) >= 4 and (one in two or two in one)


def _plain(path: str) -> str:
    return path.rpartition(".")[2].replace("_", "").replace("-", "").lower()


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _fields(items: list[Json]) -> dict[str, str]:
    """Dotted paths with their types, as the first items have them; null is the type only where there is no other."""
    found: dict[str, str] = {}
    for item in items[:_ITEMS]:
        for path, kind in _walk(item, "", _DEPTH):
            if found.get(path, "null") == "null":
                found[path] = kind
    return found


def _walk(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth:
        for key, entry in value.items():
            place = f"{path}.{key}" if path else str(key)
            yield place, type_name(entry)
            yield from _walk(entry, place, depth - 1)
    elif isinstance(value, list) and depth and value:
        place = f"{path}[]"
        yield place, type_name(value[0])
        yield from _walk(value[0], place, depth - 1)


def _node_places(old: Json, new: Json) -> Iterator[str]:
    yield from _places(_mapping(old.get("parameters")), _mapping(new.get("parameters")), "")
    yield from (key for key in _NODE_KEYS if key in new and key in old and old[key] != new[key])


def _places(old: Any, new: Any, place: str) -> Iterator[str]:
    """Places whose value differs; what only the old version has may be a default that n8n wrote into it."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in new.items():
            inner = f"{place}.{key}" if place else str(key)
            if key not in old:
                yield inner
            else:
                yield from _places(old[key], value, inner)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, pair in enumerate(zip(old, new, strict=True)):
            yield from _places(*pair, f"{place}[{index}]")
    # One of the two may have been redacted when it was stored.
    elif not matches_hidden(old, new) and not matches_hidden(new, old):
        yield place


def _connection_changes(before: Json, after: Json, renamed: dict[str, str]) -> Iterator[WorkflowChange]:
    old = {renamed.get(name, name): _targets(kinds, renamed) for name, kinds in _mapping(before.get("connections")).items()}
    new = {name: _targets(kinds, {}) for name, kinds in _mapping(after.get("connections")).items()}
    for name in sorted({*old, *new}):
        if old.get(name, set()) != new.get(name, set()):
            yield WorkflowChange(kind="connections", node=name)


def _targets(kinds: Any, renamed: dict[str, str]) -> set[tuple[str, int, str, str]]:
    return {
        (kind, number, renamed.get(str(target.get("node")), str(target.get("node"))), str(target.get("index", 0)))
        for kind, outputs in _mapping(kinds).items()
        for number, output in enumerate(outputs if isinstance(outputs, list) else ())
        for target in (output if isinstance(output, list) else ())
        if isinstance(target, dict)
    }


def _nodes(workflow: Json) -> dict[str, Json]:
    nodes = workflow.get("nodes")
    return {str(node.get("name")): node for node in (nodes if isinstance(nodes, list) else ()) if isinstance(node, dict)}


def _source_items(runs: Json, run: Json) -> list[Json]:
    """What the nodes before it put out for this run."""
    found: list[Json] = []
    sources = run.get("source")
    for source in map(_mapping, sources if isinstance(sources, list) else ()):
        entries = runs.get(str(source.get("previousNode")))
        number, output = source.get("previousNodeRun") or 0, source.get("previousNodeOutput") or 0
        if isinstance(entries, list) and isinstance(number, int) and number < len(entries):
            found += _items(_mapping(entries[number]), output)
    return found


def _items(run: Json | None, output: int = 0) -> list[Json]:
    """The JSON of what a run put out."""
    main = _mapping(_mapping(run).get("data")).get("main")
    branch = main[output] if isinstance(main, list) and isinstance(output, int) and output < len(main) else None
    return [_mapping(item.get("json")) for item in branch if isinstance(item, dict)] if isinstance(branch, list) else []


def _mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
