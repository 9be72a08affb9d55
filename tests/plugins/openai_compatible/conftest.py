from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from hub.plugin_api import Evidence
from plugins.analyzers.openai_compatible import analyzer as analyzer_module
from plugins.analyzers.openai_compatible import client
from plugins.analyzers.openai_compatible.analyzer import OpenAiCompatibleAnalyzer
from plugins.analyzers.openai_compatible.settings import FIELDS
from tests.plugins.openai_compatible.failure import failure
from tests.plugins.openai_compatible.scripted import ScriptedServer

Values = dict[str, Any]


@pytest.fixture
def values(monkeypatch: pytest.MonkeyPatch) -> Values:
    """The plugin's settings, as an operator left them; a test may change them."""
    values = {field.name: field.default for field in FIELDS}
    values |= {"enabled": True, "base_url": "https://api.example.com/v1", "model": "m", "api_key": "sk-operators-own-key"}
    monkeypatch.setattr(analyzer_module, "read_settings", lambda _plugin: values)
    return values


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited between two tries; nobody really waits."""
    taken: list[float] = []
    monkeypatch.setattr(client, "sleep", taken.append)
    return taken


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, app: Flask, pauses: list[float]) -> Iterator[Callable[..., ScriptedServer]]:
    """Puts a scripted server in the place of the network."""

    def put(*replies: Any) -> ScriptedServer:
        server = ScriptedServer(*replies)
        monkeypatch.setattr(client, "fetch", server.fetch)
        return server

    with app.app_context():
        yield put


@pytest.fixture
def analyzer(values: Values) -> OpenAiCompatibleAnalyzer:
    return OpenAiCompatibleAnalyzer()


@pytest.fixture
def evidence() -> Evidence:
    return failure()
