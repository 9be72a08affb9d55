from __future__ import annotations

import dataclasses

import sqlalchemy as sa

from hub.accounts import devices
from hub.accounts.actors import Client
from hub.accounts.models import KnownDevice, User
from hub.columns import utc_now
from hub.extensions import db
from tests.hub.accounts.people import AWAY, HOME, mailbox


def count() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(KnownDevice)) or 0


def at(device: str, client: Client = HOME) -> Client:
    return dataclasses.replace(client, device=device)


def test_a_browser_is_known_by_a_digest_that_changes_each_time(dana: User) -> None:
    first = devices.remember_device(dana, HOME)
    second = devices.remember_device(dana, at(first))
    assert first != second
    assert not devices.is_known_device(dana.email, at(first))
    assert devices.is_known_device(dana.email, at(second))
    assert db.session.scalars(sa.select(KnownDevice.token)).one() not in (first, second)


def test_two_people_may_use_one_browser(dana: User, carol: User) -> None:
    device = devices.remember_device(dana, HOME)
    device = devices.remember_device(carol, at(device))
    assert devices.is_known_device(dana.email, at(device))
    assert devices.is_known_device(carol.email, at(device))
    assert mailbox() == []


def test_only_a_further_browser_is_told(dana: User) -> None:
    device = devices.remember_device(dana, HOME)
    devices.remember_device(dana, at(device))
    assert mailbox() == []
    devices.remember_device(dana, AWAY)
    (mail,) = mailbox()
    assert (mail.recipient, mail.purpose) == (dana.email, "notice.new_device")
    assert "198.51.100.7" in mail.text
    assert "/password/forgot" in mail.text


def test_old_ones_and_too_many_are_forgotten(dana: User) -> None:
    for _number in range(devices.MOST + 3):
        last = devices.remember_device(dana, HOME)
    assert count() == devices.MOST
    assert devices.is_known_device(dana.email, at(last))
    db.session.execute(sa.update(KnownDevice).values(last_used_at=utc_now() - devices.LIFETIME))
    assert not devices.is_known_device(dana.email, at(last))
    devices.drop_old_devices()
    assert count() == 0
