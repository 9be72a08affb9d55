"""A loopback server, the names of ``.test`` on it, and senders that work inside one rolled-back transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition
from hub.http_builder.models import RequestRun
from hub.http_builder.running import run_now
from tests.hub.egress.servers import LOOPBACK, Server, Talk


@pytest.fixture
def start_server() -> Iterator[Callable[[Talk], Server]]:
    servers: list[Server] = []

    def start(talk: Talk) -> Server:
        servers.append(Server(talk))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@contextmanager
def unwatched(_run_id: str) -> Iterator[threading.Event]:
    """A test's one connection is not for a second thread."""
    yield threading.Event()


@pytest.fixture
def send(app: Flask, session: object, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RequestRun]:
    """Sends a definition as Alice, in this thread: ``send(url=..., method=...)``."""
    monkeypatch.setitem(app.extensions, "hub_egress", LOOPBACK)
    monkeypatch.setattr("hub.http_builder.running.worker.watch_run", unwatched)

    def now(
        *, name: str = "Try", request_id: str | None = None, secrets: dict[str, str] | None = None, **fields: Any
    ) -> RequestRun:
        definition = RequestDefinition.model_validate(fields)
        return run_now(alice, definition, name=name, request_id=request_id, secrets=secrets)

    return now
