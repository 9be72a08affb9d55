"""Whatever is sent to whatever route: it is answered, never with 500.

``HUB_TEST_MUTATED_REQUESTS=100000`` sends more of them than the suite does, ``HUB_TEST_MUTATED_FROM=25000`` others than the first
25,000; the requests of one number are always the same. What a mutant wrote is read again, beyond the count.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import bcrypt
import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts import passwords
from hub.contracts.actor import Actor, Role
from hub.extensions import db
from tests.conftest import make_person
from tests.security.estate import build_estate
from tests.security.mutating import Target, find_targets, make_mutant
from tests.security.routes import Route

#: Werkzeug leaves a part's temporary file to the garbage collector when the parts after it are none.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")

BATCH = 100
BATCHES = int(os.environ.get("HUB_TEST_MUTATED_REQUESTS", "1500")) // BATCH
FIRST_BATCH = int(os.environ.get("HUB_TEST_MUTATED_FROM", "0")) // BATCH
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


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is hashed matters here, not for how long."""
    monkeypatch.setattr(passwords, "COST", 4)
    monkeypatch.setattr(passwords, "_NOBODYS_HASH", bcrypt.hashpw(b"nobody", bcrypt.gensalt(4)).decode())


@pytest.fixture(scope="module")
def known_targets() -> list[Target]:
    """What the first batch finds out serves all: walking every page costs more than a batch."""
    return []


@pytest.fixture(scope="module")
def statuses() -> Iterator[Counter[int]]:
    """What was answered how often; ``pytest -s`` shows it."""
    counted: Counter[int] = Counter()
    yield counted
    print(f"\n{counted.total()} requests were answered: {dict(sorted(counted.items()))}")


class Errors(logging.Handler):
    """What broke, from the log: exceptions that nobody expected, and errors that the hub noticed itself before it went on."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        cause = record.exc_info[1] if record.exc_info else None
        self.seen.append(f"{record.getMessage()} {cause!r}")


@pytest.fixture
def errors() -> Iterator[Errors]:
    """Listens to the log while a test runs."""
    handler = Errors()
    logging.getLogger("hub").addHandler(handler)
    yield handler
    logging.getLogger("hub").removeHandler(handler)


@dataclass
class Attacker:
    """Somebody signed in, who sends mutants of what fits their own things and looks at what became of them."""

    caller_of: Callable[[Actor], Callable[..., Any]]
    role: Role
    name: str
    lives: int = 0

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """As a new person with an estate of their own."""
        self.lives += 1
        self.actor = make_person(f"{self.name}-{self.lives}", self.role)
        self.ids = build_estate(self.actor)
        self.call = self.caller_of(self.actor)

    def send(self, target: Target, path: str, options: Mapping[str, Any]) -> Any:
        """The answer. Who was signed out, or deleted their own account, begins again."""
        options = dict(options)
        headers = options.pop("headers", {})
        answer = self.call(target.route, path, headers, **options)
        db.session.remove()  # as at the end of a request outside of tests: what was not committed is gone
        is_out = answer.status_code == 401 or answer.headers.get("Location", "").startswith("/login")
        if is_out and not {"Authorization", "Cookie"} & set(headers):
            self.begin()
        return answer


def follow_up(targets: list[Target], target: Target, path: str, answer: Any) -> tuple[Target, str] | None:
    """Where what a mutant wrote is read again: the page it leads to, or the same address of the API."""
    if target.route.method == "GET" or answer.status_code >= 400:
        return None
    place = answer.headers.get("HX-Redirect") or answer.headers.get("Location") or (path if target.route.is_api else "")
    wanted = target.route.rule.rule
    if place.startswith("/") and not target.route.is_api:
        return Target(Route("GET", target.route.rule)), place
    known = next((other for other in targets if other.route.method == "GET" and other.route.rule.rule == wanted), None)
    return (known, place) if known and place else None


@pytest.mark.parametrize("batch", range(FIRST_BATCH, FIRST_BATCH + BATCHES))
def test_no_request_breaks_the_hub(
    app: Flask,
    session: object,
    caller_of: Callable[[Actor], Callable[..., Any]],
    browser_of: Callable[[Actor], FlaskClient],
    known_targets: list[Target],
    statuses: Counter[int],
    errors: Errors,
    batch: int,
) -> None:
    attacker = Attacker(caller_of, Role.USER if batch % 2 else Role.OPERATOR, f"mutant-{batch}")
    if not known_targets:
        browser = browser_of(attacker.actor)
        known_targets += find_targets(app, attacker.ids, lambda path: browser.get(path).text)
    broken = []
    chance = random.Random(batch)
    for number in range(BATCH):
        # Routes in turn, so that none is left out by chance.
        target = known_targets[(batch * BATCH + number) * 7 % len(known_targets)]
        mutant = make_mutant(target, known_targets, attacker.ids, chance)
        sent: list[tuple[Target, str, Mapping[str, Any]]] = [(target, mutant.path, mutant.options)]
        for what, path, options in sent:
            answer = attacker.send(what, path, options)
            statuses[answer.status_code] += 1
            if errors.seen or (answer.status_code >= 500 and answer.status_code not in ELSEWHERE):
                broken.append(f"{mutant}, asked for {path[:200]}, answers {answer.status_code}: {errors.seen}")
                errors.seen.clear()
            following = follow_up(known_targets, what, path, answer)
            sent += [(*following, {})] if following else []
    assert broken == []


@pytest.mark.parametrize("way", ["answer", "log"])
def test_a_break_is_noticed(app: Flask, errors: Errors, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Else no break would be the finding of a test that sees none."""

    def fail() -> str:
        if way == "log":
            logging.getLogger("hub.somewhere").error("it did not work")
            return "fine"
        raise RuntimeError("it broke")

    monkeypatch.setitem(app.view_functions, "system.healthz", fail)
    assert app.test_client().get("/healthz").status_code == (500 if way == "answer" else 200)
    assert len(errors.seen) == 1
    assert ("it broke" if way == "answer" else "it did not work") in errors.seen[0]


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
