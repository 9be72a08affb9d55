"""A real n8n and a running hub for the tests of this folder. Nothing here is a stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_hub import LiveHub
from tests.n8n.echo import Echo
from tests.n8n.server import N8nServer


@pytest.fixture(scope="module")
def n8n(tmp_path_factory: pytest.TempPathFactory) -> Iterator[N8nServer]:
    """An empty n8n with an owner and an API key. `make n8n` installs it; where it is absent the test fails, it is not skipped."""
    server = N8nServer(tmp_path_factory.mktemp("n8n"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A hub without the sample instance, as `hub run` starts it."""
    running = LiveHub(tmp_path_factory.mktemp("hub"), {"HUB_SAMPLE": "false", "HUB_NEW_PLAN": "ENTERPRISE"})
    running.start()
    yield running
    running.stop()
    if "Traceback" in running.log():
        print(running.log()[-5000:])


@pytest.fixture(scope="session")
def bench() -> Path:
    """The team's failing cases."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "repair-bench"
    if not folder.is_dir():
        pytest.skip("../shared/repair-bench is not here")
    return folder


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    """A service on loopback that keeps what it is sent."""
    with Echo() as service:
        yield service
