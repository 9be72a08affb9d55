"""Every HTTP Request node of 2,060 workflows that people published; skipped where they are absent."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

from hub.analyses.patches import canonical, document_of
from hub.contracts.http import RequestDefinition
from hub.http_builder.importing import import_text
from hub.http_builder.n8n.node import HTTP_REQUEST, build_node
from hub.http_builder.n8n.old_nodes import to_version_4
from hub.http_builder.n8n.placing import Target, place_request
from hub.http_builder.n8n.reading import is_http_request, read_node

Json = dict[str, Any]


def test_all_nodes_of_real_workflows_come_and_go(shared: Path) -> None:
    """Each node is read; written anew it says the same; saved back unchanged it is the same node to the letter."""
    counts: Counter[str] = Counter()
    with gzip.open(shared / "data" / "n8n-workflows.jsonl.gz") as lines:
        for line in lines:
            workflow = json.loads(line)
            nodes = [node for node in workflow.get("nodes") or () if is_http_request(node)]
            if nodes:
                counts["imported"] += len(import_text(line.decode(), kind="n8n").drafts)
            for node in nodes:
                counts["nodes"] += 1
                wanted = read_node(node)[0]
                counts[_written_anew(wanted)] += 1
                if [other["name"] for other in workflow["nodes"]].count(node["name"]) == 1:
                    counts[_saved_back(workflow, node, wanted)] += 1
    print(dict(counts))
    assert counts["imported"] == counts["nodes"] > 2000
    assert set(counts) <= {
        *("nodes", "imported", "anew: same", "anew: a secret became a credential", "anew: a content type that the body says"),
        *("back: same", "back: old node made new", "back: a secret became a credential"),
    }


def _written_anew(wanted: RequestDefinition) -> str:
    built = build_node(wanted)
    again = read_node({"type": HTTP_REQUEST, "typeVersion": built.type_version, "parameters": built.parameters})[0]
    ours, theirs = _plain(wanted), _plain(again)
    if ours == theirs:
        return "anew: same"
    for kind in ("headers", "params"):
        gone = [row for row in ours[kind] if row not in theirs[kind]]
        if gone and built.credential is not None and _is_secret_gone(built.credential, gone):
            return "anew: a secret became a credential"
    lost = [name.lower() for name, _ in ours["headers"] if name.lower() not in {other.lower() for other, _ in theirs["headers"]}]
    if lost == ["content-type"] and {**ours, "headers": 0} == {**theirs, "headers": 0}:
        return "anew: a content type that the body says"
    return f"anew: {[key for key in ours if ours[key] != theirs[key]]} {wanted.url[:80]}"


def _is_secret_gone(credential: Any, gone: list[tuple[str, str]]) -> bool:
    return credential.types[-1] in ("httpHeaderAuth", "httpBearerAuth", "httpQueryAuth", "httpBasicAuth") and bool(gone)


def _plain(definition: RequestDefinition) -> Json:
    rows = {name: [(row.name, row.value) for row in getattr(definition, name) if row.enabled] for name in ("headers", "params")}
    return {**definition.model_dump(mode="json", exclude={"auth", "headers", "params"}), **rows}


def _saved_back(workflow: Json, node: Json, wanted: RequestDefinition) -> str:
    placed = place_request(workflow, wanted, Target(node=node["name"]))
    before = document_of(workflow)
    if canonical(placed.document) == canonical(before):
        return "back: same"
    after = next(other for other in placed.document["nodes"] if other["name"] == node["name"])
    if any(word in canonical(after["parameters"]) for word in ("httpHeaderAuth", "httpBearerAuth", "httpQueryAuth")) or any(
        note.code == "n8n-secret-left-out" for note in placed.notes
    ):
        return "back: a secret became a credential"
    if float(node.get("typeVersion", 1)) < 3:
        old = to_version_4(node["parameters"])
        return "back: old node made new" if canonical(after["parameters"]) == canonical(old) else f"back: old {node['name']}"
    return f"back: {node['name']} of {workflow['name']}"
