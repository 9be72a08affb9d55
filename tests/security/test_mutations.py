"""Whatever is sent to whatever route: it is answered, never with 500.

``HUB_TEST_MUTATED_REQUESTS=100000`` sends more of them than the suite does.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, got_request_exception
from flask.testing import FlaskClient

from hub.contracts.actor import Actor
from tests.security.estate import build_estate
from tests.security.mutating import Target, find_targets, make_mutant

#: Werkzeug leaves a part's temporary file to the garbage collector when the parts after it are none.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")

BATCH = 50
BATCHES = int(os.environ.get("HUB_TEST_MUTATED_REQUESTS", "1500")) // BATCH
#: Refusals with words of their own: another system does not answer.
ELSEWHERE = {502, 503, 504}


@pytest.fixture(autouse=True)
def nothing_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is looked up, no connection made, no program started: what the requests name is not there."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    def unknown(host: object, *_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setattr(subprocess, "Popen", refuse)


@pytest.fixture(scope="module")
def known_targets() -> list[Target]:
    """What the first batch finds out serves all: walking every page costs more than a batch."""
    return []


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_request_breaks_the_hub(
    app: Flask,
    operator: Actor,
    caller_of: Callable[[Actor], Callable[..., Any]],
    browser_of: Callable[[Actor], FlaskClient],
    known_targets: list[Target],
    batch: int,
) -> None:
    ids = build_estate(operator)
    if not known_targets:
        browser = browser_of(operator)
        known_targets += find_targets(app, ids, lambda path: browser.get(path).text)
    call = caller_of(operator)
    errors: list[Exception] = []

    def note(_app: Flask, exception: Exception, **_more: object) -> None:
        errors.append(exception)

    broken = []
    chance = random.Random(batch)
    with got_request_exception.connected_to(note, app):
        for number in range(BATCH):
            # Routes in turn, so that none is left out by chance.
            target = known_targets[(batch * BATCH + number) * 7 % len(known_targets)]
            mutant = make_mutant(target, known_targets, ids, chance)
            options = dict(mutant.options)
            answer = call(target.route, mutant.path, options.pop("headers", None), **options)
            if answer.status_code >= 500 and answer.status_code not in ELSEWHERE:
                broken.append(f"{mutant} answers {answer.status_code}: {errors[-1]!r}" if errors else f"{mutant}")
            if answer.status_code == 401 or answer.headers.get("Location", "").startswith("/login"):
                call = caller_of(operator)  # a mutant signed out, or ended this session
    assert broken == []


def test_the_mutants_reach_the_forms_and_bodies(app: Flask, operator: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    """Else the test above would send rubbish that the door refuses."""
    ids = build_estate(operator)
    browser = browser_of(operator)
    targets = find_targets(app, ids, lambda path: browser.get(path).text)
    forms = [target for target in targets if target.route.method == "POST" and not target.route.is_api]
    assert sum(bool(target.fields) for target in forms) > len(forms) / 2
    bodies = [target for target in targets if target.route.is_api and target.schema]
    assert len(bodies) > 20
    assert len(max(targets, key=lambda target: len(target.fields)).fields) > 30
