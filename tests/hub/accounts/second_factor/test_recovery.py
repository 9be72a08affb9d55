from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from hub.accounts.models import RECOVERY_KEY, User
from hub.accounts.second_factor import proofs, recovery, services
from hub.accounts.second_factor.models import RecoveryCode
from hub.contracts.actor import Actor
from hub.errors import Conflict, Invalid
from hub.extensions import db
from tests.hub.accounts.people import HOME, events
from tests.hub.accounts.second_factor.conftest import App

AppOf = Callable[[Actor], App]


def test_ten_codes_of_80_bits_of_which_only_keyed_hashes_are_stored(dora: Actor, app_of: AppOf) -> None:
    codes = app_of(dora).recovery_codes
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}", code) for code in codes)
    digests = db.session.scalars(sa.select(RecoveryCode.digest)).all()
    user = db.session.get_one(User, dora.user_id)
    key = bytes.fromhex(RECOVERY_KEY.decrypt(str(user.recovery_key), user.id))
    assert {recovery._digest(key, code.replace("-", "")) for code in codes} == set(digests)
    assert not {recovery._digest(b"", code.replace("-", "")) for code in codes} & set(digests)


def test_a_code_counts_once_and_its_return_is_told_apart(dora: Actor, app_of: AppOf, told: list[str]) -> None:
    user_id, codes = str(dora.user_id), app_of(dora).recovery_codes
    proofs.accept_code(user_id, f" {codes[3].lower().replace('-', ' ')} ", HOME)
    db.session.commit()
    assert recovery.count_left(user_id) == 9
    with pytest.raises(Invalid, match="used already"):
        proofs.accept_code(user_id, codes[3], HOME)
    with pytest.raises(Invalid, match="none of your"):
        proofs.accept_code(user_id, "AAAA-BBBB-CCCC-DDDD", HOME)
    reasons = {(event.details["method"], event.details.get("reason")) for event in events("second_factor.check")}
    assert reasons == {("recovery code", None), ("recovery code", "used before"), ("recovery code", "wrong")}
    assert told == ["notice.second_factor_on", "notice.recovery_code_used"]
    assert services.list_factors(dora).is_on


def test_a_code_is_its_owners(dora: Actor, bob: Actor, app_of: AppOf) -> None:
    codes = app_of(dora).recovery_codes
    app_of(bob)
    with pytest.raises(Invalid, match="none of your"):
        proofs.accept_code(str(bob.user_id), codes[0], HOME)


def test_new_codes_end_the_old_ones(dora: Actor, app_of: AppOf, told: list[str]) -> None:
    old = app_of(dora).recovery_codes
    new = services.renew_codes(dora)
    assert not set(old) & set(new)
    with pytest.raises(Invalid, match="none of your"):
        proofs.accept_code(str(dora.user_id), old[0], HOME)
    proofs.accept_code(str(dora.user_id), new[0], HOME)
    assert told[1:] == ["notice.recovery_codes_created", "notice.recovery_code_used"]


def test_without_a_factor_there_are_none(dora: Actor) -> None:
    with pytest.raises(Conflict):
        services.renew_codes(dora)
    assert recovery.use_code(str(dora.user_id), "A" * 16) is recovery.Use.UNKNOWN
