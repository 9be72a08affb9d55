"""Two uses of one thing at the same time: exactly one wins. Committed for good, so it is taken away again, and without events,
which nobody can take away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts import sessions
from hub.accounts.models import RateBucket, User
from hub.accounts.second_factor import pending, proofs, recovery, services, totp
from hub.accounts.second_factor.models import Passkey, PendingSignIn, Purpose
from hub.accounts.second_factor.proofs import CodeProof, PasskeyProof
from hub.errors import Invalid
from hub.extensions import db
from tests.hub.accounts.people import HOME
from tests.hub.accounts.second_factor.authenticator import Authenticator
from tests.hub.accounts.second_factor.conftest import PARTY, Clock

THREADS = 6


@pytest.fixture
def person(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str, list[str]]]:
    """A committed person: id, secret of the app, recovery codes."""
    for module in (pending, proofs, services, sessions):
        monkeypatch.setattr(module, "record_event", lambda *_arguments, **_options: None)
    monkeypatch.setattr(proofs, "LIMITS", ((100, proofs.LIMITS[0][1]),))
    with app.app_context():
        user = User(email="race@example.com", password="!", name="Race", two_factor_enabled=True)
        db.session.add(user)
        db.session.flush()
        user_id, secret = user.id, "A" * 32
        totp.store_secret(user_id, secret, 0)
        codes = recovery.make_codes(user_id)
        db.session.commit()
        yield user_id, secret, codes
        db.session.rollback()
        for model in (User, RateBucket, PendingSignIn):
            db.session.execute(sa.delete(model))
        db.session.commit()


def race(app: Flask, attempts: list[Callable[[], object]]) -> int:
    """How many of the attempts, begun together, were accepted."""
    together = Barrier(len(attempts))

    def run(attempt: Callable[[], object]) -> bool:
        with app.app_context():
            together.wait(30)
            try:
                attempt()
            except Invalid:
                return False
            return True

    with ThreadPoolExecutor(len(attempts)) as pool:
        return list(pool.map(run, attempts)).count(True)


def test_one_code_signs_in_once(app: Flask, clock: Clock, person: tuple[str, str, list[str]]) -> None:
    user_id, secret, codes = person
    for text in (clock.code(secret), codes[0]):
        tokens = [pending.begin_sign_in(user_id, HOME) for _number in range(THREADS)]
        finishes = [lambda token=token, text=text: services.finish(token, CodeProof(text), HOME) for token in tokens]
        assert race(app, finishes) == 1


def test_one_waiting_sign_in_opens_one_session(app: Flask, person: tuple[str, str, list[str]]) -> None:
    """Each thread has a good code of its own."""
    user_id, _secret, codes = person
    token = pending.begin_sign_in(user_id, HOME)
    finishes = [lambda code=code: services.finish(token, CodeProof(code), HOME) for code in codes[1 : 1 + THREADS]]
    assert race(app, finishes) == 1
    db.session.rollback()
    assert recovery.count_left(user_id) == 9


def test_one_answer_of_a_passkey_signs_in_once(app: Flask, person: tuple[str, str, list[str]]) -> None:
    user_id = person[0]
    device = Authenticator(PARTY)
    challenge = services.passkeys.registration_options(user_id, "race@example.com", "Race", PARTY)
    services.passkeys.add_passkey(user_id, device.create(challenge), challenge["challenge"], PARTY, "Phone")
    db.session.commit()
    ceremony = services.begin_passkey_sign_in(HOME, PARTY)
    proof = PasskeyProof(device.sign(ceremony.options), PARTY)
    assert race(app, [lambda: services.sign_in_with_passkey(ceremony.token, proof, HOME)] * THREADS) == 1
    token = pending.begin_sign_in(user_id, HOME)
    again = PasskeyProof(device.sign(services.ask_for_passkey(token, PARTY)), PARTY)
    assert race(app, [lambda: services.finish(token, again, HOME)] * THREADS) == 1
    db.session.rollback()
    assert db.session.scalar(sa.select(Passkey.sign_count)) == 2
    assert Purpose.PASSKEY not in set(db.session.scalars(sa.select(PendingSignIn.purpose)))
