"""The project's own repair bench on a real n8n: every case fails as it should, and no answer does harm."""

from __future__ import annotations

import pytest

from tests.benchmarks.repair.analyzers import make_hub
from tests.benchmarks.repair.cases import read_cases
from tests.benchmarks.repair.judge import score
from tests.benchmarks.repair.runner import run_online
from tests.n8n.server import N8nServer

pytestmark = pytest.mark.n8n


def test_every_case_fails_and_nothing_is_harmed(n8n: N8nServer) -> None:
    results = list(run_online(read_cases(), make_hub(), n8n))
    rows = [row for _, row, _ in results if row is not None]
    print(score(rows, len(results) - len(rows)))
    assert [f"{case.id}: {why}" for case, row, why in results if row is None] == []
    assert [str(row) for row in rows if row.harmful] == []
