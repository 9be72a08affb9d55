"""The failing workflows of this bench: read, checked for their form, and placed beside a running fault server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.contracts.analysis import Cause
from tests.benchmarks.repair.fault_server import FaultServer

Json = dict[str, Any]

FOLDER = Path(__file__).resolve().parent
CASES, REFERENCE, RECORDED = FOLDER / "cases", FOLDER / "reference", FOLDER / "recorded"

#: What stands in the cases for the ports of the fault server: nothing listens on the first, the last speaks TLS.
CLOSED_PORT, PORT, TLS_PORT = 8797, 8798, 8799

_FIELDS = {"id", "title", "kind", "workflow", "trigger", "server", "expect", "check", "credentials", "companions"}
_EXPECTED = {"causes", "node", "nodes_also", "patchable", "must_not_patch"}


@dataclass(frozen=True)
class Case:
    """One case as its file says it; the fields are described in README.md of this folder."""

    id: str
    title: str
    kind: list[int]
    workflow: Json
    trigger: Json
    server: list[Json]
    expect: Json
    check: Json | None
    credentials: list[Json]
    companions: list[Json]
    #: The patch that is known to repair it; other patches are as good.
    reference: list[Json] | None = None

    @property
    def culprits(self) -> list[str]:
        """The names of the nodes that count as right."""
        return [self.expect["node"], *self.expect.get("nodes_also", [])]

    def placed(self, faults: FaultServer) -> Case:
        """The case with the ports of a running fault server in place of the fixed ones."""
        ports = {CLOSED_PORT: faults.closed_port, PORT: faults.port, TLS_PORT: faults.tls_port}
        return make_case(json.loads(_exchange_numbers(json.dumps(self.__dict__), ports)))


def make_case(document: Json) -> Case:
    """The case in a document; an unknown field is a TypeError."""
    return Case(**{"check": None, "credentials": [], "companions": [], **document})


def read_cases(folder: Path = CASES) -> list[Case]:
    """All cases of a folder, by id."""
    return [_read_case(path) for path in sorted(folder.glob("*.json"))]


def _read_case(path: Path) -> Case:
    reference = REFERENCE / path.name
    patch = json.loads(reference.read_text()) if reference.exists() else None
    return make_case({**json.loads(path.read_text()), "reference": patch})


def read_recording(case: Case) -> Json | None:
    """``{"execution", "workflow"}`` of a failed run of the case; None where it was never recorded."""
    path = RECORDED / f"{case.id}.json"
    recording: Json | None = json.loads(path.read_text()) if path.exists() else None
    return recording


def write_recording(case: Case, recording: Json, faults: FaultServer, n8n_port: int) -> None:
    """Keep a failed run, with the fixed ports again and without what belongs to this machine."""
    ports = {faults.closed_port: CLOSED_PORT, faults.port: PORT, faults.tls_port: TLS_PORT, n8n_port: 5678}
    text = _exchange_numbers(json.dumps(recording, ensure_ascii=False, separators=(",", ":")), ports)
    text = re.sub(r"(?:/[\w.@+-]+)+?/node_modules", "/node_modules", text)
    text = re.sub(r'("resumeToken":)"\w+"', r'\1"0"', text)
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / f"{case.id}.json").write_text(text + "\n")


def find_faults(document: Json, file_name: str) -> Iterator[str]:
    """What is wrong with the form of a case, in words; nothing where it is well-formed."""
    yield from (f"unknown field {name}" for name in sorted(document.keys() - _FIELDS))
    missing = _FIELDS - {"check", "credentials", "companions"} - document.keys()
    yield from (f"missing field {name}" for name in sorted(missing))
    if missing:
        return
    case = make_case({name: value for name, value in document.items() if name in _FIELDS})
    if f"{case.id}.json" != file_name:
        yield f"the id is {case.id}"
    yield from _workflow_faults(case)
    yield from _expectation_faults(case)
    for route in case.server:
        if "path" not in route or not route["path"].startswith("/") or "?" in route["path"]:
            yield f"route {route.get('path')}: a path without query is wanted"


def _workflow_faults(case: Case) -> Iterator[str]:
    names = [node["name"] for node in case.workflow["nodes"]]
    if len(set(names)) != len(names):
        yield "two nodes have one name"
    for source, kinds in case.workflow["connections"].items():
        links = [link["node"] for outputs in kinds.values() for output in outputs for link in output or ()]
        yield from (f"connection from or to {name}" for name in [source, *links] if name not in names)
    hooks = [node for node in case.workflow["nodes"] if node["type"] == "n8n-nodes-base.webhook"]
    if [hook["parameters"]["path"] for hook in hooks] != [case.trigger["path"]]:
        yield "the workflow needs one webhook, with the path of the trigger"
    if case.expect["node"] not in names:  # those beside it may stand in a sub-workflow
        yield f"culprit {case.expect['node']} is no node"


def _expectation_faults(case: Case) -> Iterator[str]:
    expect, known = case.expect, {cause.value for cause in Cause}
    yield from (f"unknown expectation {name}" for name in sorted(expect.keys() - _EXPECTED))
    yield from (f"unknown cause {cause}" for cause in expect["causes"] if cause not in known)
    if not expect["causes"]:
        yield "no cause is right"
    if expect["patchable"] and expect["must_not_patch"]:
        yield "patchable, and must not be patched"
    if expect["patchable"] and case.check is None:
        yield "patchable without a check"
    if expect["must_not_patch"] and case.check is not None:
        yield "a check of a patch that must not be"
    check = case.check or {}
    if case.check is not None and (check.get("status") != "success" or not (check.get("assert") or "items" in check)):
        yield "the check asserts nothing about the output"
    if check and check["output_node"] not in {node["name"] for node in case.workflow["nodes"]}:
        yield f"the check looks at {check['output_node']}, which is no node"


def _exchange_numbers(text: str, numbers: dict[int, int]) -> str:
    pattern = rf"(?<!\w)(?:{'|'.join(map(str, numbers))})(?!\w)"
    return re.sub(pattern, lambda match: str(numbers[int(match.group())]), text)
