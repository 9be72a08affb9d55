"""Dora, who signed in a moment ago, and her devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from hub.accounts import notices, passwords
from hub.accounts.models import User
from hub.accounts.second_factor import services, totp
from hub.accounts.second_factor.passkeys import RelyingParty
from hub.accounts.second_factor.proofs import PasskeyProof
from hub.contracts.actor import Actor
from hub.extensions import db
from tests.conftest import make_person
from tests.hub.accounts.people import PASSWORD
from tests.hub.accounts.second_factor.authenticator import Authenticator

PARTY = RelyingParty(id="localhost", origin="http://localhost")


class Clock:
    """The time that codes are made of."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now

    def tick(self, steps: int = 1) -> None:
        self.now += totp.STEP * steps

    def code(self, secret: str, drift: int = 0) -> str:
        """What an app shows for ``secret``, its clock being so many steps off."""
        key = totp.base64.b32decode(secret)
        return TOTP(key, 6, SHA1(), 30).generate(int(self.now) + drift * totp.STEP).decode()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(totp, "time", clock)
    return clock


@pytest.fixture
def dora(session: object, monkeypatch: pytest.MonkeyPatch) -> Actor:
    """Her password is ``PASSWORD``, without the cost of a hash."""
    monkeypatch.setattr(passwords, "check_password", lambda password, _stored, **_options: password == PASSWORD)
    actor = make_person("dora")
    db.session.execute(sa.update(User).where(User.id == actor.user_id).values(email_verified=True))
    db.session.commit()
    return actor


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The kinds of notices that were sent, in order."""
    kinds: list[str] = []
    monkeypatch.setattr(notices, "send_mail", lambda *_words, purpose, **_options: kinds.append(purpose))
    return kinds


class App:
    """Dora's authenticator app."""

    def __init__(self, secret: str, codes: list[str], clock: Clock) -> None:
        self.secret = secret
        self.recovery_codes = codes
        self._clock = clock

    def code(self, drift: int = 0) -> str:
        return self._clock.code(self.secret, drift)


@pytest.fixture
def app_of(clock: Clock) -> Callable[[Actor], App]:
    """Sets an authenticator app up, half a minute ago."""

    def set_up(actor: Actor) -> App:
        enrolment = services.begin_app(actor)
        codes = services.confirm_app(actor, enrolment.sealed, clock.code(enrolment.secret))
        clock.tick(2)
        return App(enrolment.secret, codes, clock)

    return set_up


def add_passkey(actor: Actor, device: Authenticator, name: str = "Phone") -> list[str]:
    """Register ``device``; answers the recovery codes where it is the first factor."""
    ceremony = services.begin_passkey(actor, device.party)
    return services.add_passkey(actor, ceremony.token, PasskeyProof(device.create(ceremony.options), device.party), name)
