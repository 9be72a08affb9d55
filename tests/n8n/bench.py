"""The team's failing cases, their fault server and their judge, imported from where they lie."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


class Bench:
    """The cases of a folder. The fault server listens on the two fixed ports that the cases name."""

    def __init__(self, folder: Path) -> None:
        self.cases = [as_its_own(json.loads(path.read_text())) for path in sorted((folder / "cases").glob("*.json"))]
        self._faults = load("fault_server", folder / "fault_server.py")
        self._judge = load("repair_bench_run", folder / "run.py")
        self._servers: list[Any] = []

    def start(self) -> None:
        self._servers = self._faults.start()

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def install(self, case: dict[str, Any]) -> None:
        """Let the fault server behave as the case wants, all its counters anew."""
        self._faults.Handler.state.install(case.get("server", []))

    def passes(self, case: dict[str, Any], execution: dict[str, Any] | None) -> bool:
        """The bench's own judgement: whether an execution shows that the workflow does what it was made for."""
        result: bool = self._judge.passes(case["check"], execution)
        return result


def as_its_own(case: dict[str, Any]) -> dict[str, Any]:
    """The case under a name and a webhook path that no other workflow of the n8n has."""
    case["workflow"]["name"] = f"Bench {case['id']}"
    case["trigger"]["path"] = path = f"bench-{case['id']}"
    for node in case["workflow"]["nodes"]:
        if node["type"] == "n8n-nodes-base.webhook":
            node["parameters"]["path"] = node["webhookId"] = path
    return case


def load(name: str, file: Path) -> ModuleType:
    """A module from a file; it stays known under its name, as one of the bench's files imports another."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
