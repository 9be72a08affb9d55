from __future__ import annotations

import json
import secrets

import pytest
import sqlalchemy as sa

from hub.accounts.models import Session, User
from hub.accounts.second_factor import passkeys, pending, services
from hub.accounts.second_factor.models import Passkey, PendingSignIn
from hub.accounts.second_factor.passkeys import RelyingParty
from hub.accounts.second_factor.proofs import PasskeyProof
from hub.contracts.actor import Actor
from hub.errors import Conflict, Invalid, NotFound, TooMany
from hub.extensions import db
from tests.hub.accounts.people import HOME, events
from tests.hub.accounts.second_factor.authenticator import Authenticator
from tests.hub.accounts.second_factor.conftest import PARTY, add_passkey

ELSEWHERE = RelyingParty(id="evil.example", origin="https://evil.example")


def refusals() -> list[str]:
    return [event.details["reason"] for event in events("second_factor.check") if not event.success]


def sign_in(device: Authenticator, **changes: bytes) -> str:
    """Sign in with the passkey alone."""
    ceremony = services.begin_passkey_sign_in(HOME, PARTY)
    return services.sign_in_with_passkey(ceremony.token, PasskeyProof(device.sign(ceremony.options, **changes), PARTY), HOME)


class TestRegistering:
    def test_the_first_one_brings_recovery_codes(self, dora: Actor, told: list[str]) -> None:
        assert len(add_passkey(dora, Authenticator(PARTY), " Phone ")) == 10
        assert add_passkey(dora, Authenticator(PARTY, counts=False), "Account") == []
        phone, account = services.list_factors(dora).passkeys
        assert (phone.name, phone.backed_up, account.backed_up) == ("Phone", False, True)
        assert [row.transports for row in db.session.scalars(sa.select(Passkey))] == [["internal"], ["internal"]]
        assert told == ["notice.second_factor_on", "notice.passkey_added"]
        assert len(events("passkey.create")) == 2

    def test_what_the_browser_is_asked(self, dora: Actor) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        options = services.begin_passkey(dora, PARTY).options
        assert options["rp"] == {"id": "localhost", "name": "AI-HTTP Hub"}
        assert options["authenticatorSelection"]["residentKey"] == "preferred"
        assert options["authenticatorSelection"]["userVerification"] == "preferred"
        assert [entry["transports"] for entry in options["excludeCredentials"]] == [["internal"]]
        assert len(passkeys.base64url_to_bytes(options["challenge"])) >= 16
        assert sign_in_options()["userVerification"] == "required"
        assert not sign_in_options().get("allowCredentials")

    def test_a_challenge_counts_once_for_its_person_and_purpose(self, dora: Actor, bob: Actor) -> None:
        device = Authenticator(PARTY)
        ceremony = services.begin_passkey(dora, PARTY)
        proof = PasskeyProof(device.create(ceremony.options), PARTY)
        with pytest.raises(pending.Expired):
            services.add_passkey(bob, ceremony.token, proof, "Mine")
        with pytest.raises(pending.Expired):
            services.sign_in_with_passkey(ceremony.token, proof, HOME)
        services.add_passkey(dora, ceremony.token, proof, "Phone")
        with pytest.raises(pending.Expired):
            services.add_passkey(dora, ceremony.token, proof, "Again")

    def test_a_credential_is_stored_once(self, dora: Actor, bob: Actor) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        with pytest.raises(Invalid):
            add_passkey(bob, device)
        assert [event.details["reason"] for event in events("passkey.create") if not event.success] == ["known already"]

    @pytest.mark.parametrize("answer", ["", "null", "[]", "{}", "[" * 5000, '{"id": 1}', "x" * 70_000])
    def test_rubbish_is_refused(self, dora: Actor, answer: str) -> None:
        ceremony = services.begin_passkey(dora, PARTY)
        with pytest.raises(Invalid):
            services.add_passkey(dora, ceremony.token, PasskeyProof(answer, PARTY), "Phone")

    def test_another_site_and_another_challenge_are_refused(self, dora: Actor) -> None:
        for device, challenge in ((Authenticator(ELSEWHERE), None), (Authenticator(PARTY), "AAAAAAAAAAAAAAAAAAAAAA")):
            ceremony = services.begin_passkey(dora, PARTY)
            options = ceremony.options | ({"challenge": challenge} if challenge else {})
            with pytest.raises(Invalid):
                services.add_passkey(dora, ceremony.token, PasskeyProof(device.create(options), PARTY), "Phone")
        assert services.list_factors(dora).passkeys == []

    def test_there_is_a_most(self, dora: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passkeys, "MOST", 1)
        add_passkey(dora, Authenticator(PARTY))
        with pytest.raises(Conflict):
            add_passkey(dora, Authenticator(PARTY))

    def test_a_bare_address_has_none(self, dora: Actor) -> None:
        for begin in (lambda: services.begin_passkey(dora, None), lambda: services.begin_passkey_sign_in(HOME, None)):
            with pytest.raises(Conflict, match="HUB_PUBLIC_URL"):
                begin()

    @pytest.mark.parametrize("name", ["", "  ", "x" * 81])
    def test_it_needs_a_name(self, dora: Actor, name: str) -> None:
        with pytest.raises(Invalid) as caught:
            add_passkey(dora, Authenticator(PARTY), name)
        assert set(caught.value.fields) == {"name"}


def sign_in_options() -> dict[str, object]:
    return services.begin_passkey_sign_in(HOME, PARTY).options


class TestSigningIn:
    def test_a_verified_passkey_is_both_factors(self, dora: Actor) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        before = db.session.scalar(sa.select(sa.func.count()).select_from(Session))
        assert len(sign_in(device)) == 43
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Session)) == before + 1
        assert services.list_factors(dora).passkeys[0].last_used_at
        assert db.session.scalar(sa.select(Passkey.sign_count)) == 1
        assert [event.user_id for event in events("user.login")] == [dora.user_id]

    def test_a_mere_touch_is_not(self, dora: Actor) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        device.verifies = False
        with pytest.raises(Invalid):
            sign_in(device)
        assert refusals() == ["invalid"]

    def test_a_count_seen_before_is_refused_flagged_and_told(self, dora: Actor, told: list[str]) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        device.count = 7
        sign_in(device)
        device.count = 3
        with pytest.raises(Invalid):
            sign_in(device)
        assert refusals() == ["sign count"]
        assert services.list_factors(dora).passkeys[0].suspected_at
        assert told[-1] == "notice.passkey_suspected"
        assert db.session.scalar(sa.select(Passkey.sign_count)) == 8

    def test_who_cannot_sign_cannot_make_it_suspicious(self, dora: Actor) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        device.count = 7
        sign_in(device)
        device.count = 3
        with pytest.raises(Invalid):
            sign_in(device, signature=b"0" * 70)
        assert refusals() == ["invalid"]
        assert services.list_factors(dora).passkeys[0].suspected_at is None

    def test_an_answer_counts_only_in_the_browser_that_asked(self, dora: Actor) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        ceremony = services.begin_passkey_sign_in(HOME, PARTY, browser="mine")
        proof = PasskeyProof(device.sign(ceremony.options), PARTY)
        for thief in ("", "another", ":mine"):
            with pytest.raises(pending.Expired):
                services.sign_in_with_passkey(ceremony.token, proof, HOME, browser=thief)
        assert services.sign_in_with_passkey(ceremony.token, proof, HOME, browser="mine")

    def test_alone_it_says_whose_it_is(self, dora: Actor) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        with pytest.raises(Invalid):
            sign_in(device, userHandle=b"")
        ceremony = services.begin_confirmation(dora, PARTY)
        proof = PasskeyProof(device.sign(ceremony.options, userHandle=b""), PARTY)
        services.confirm_with_passkey(str(dora.user_id), ceremony.token, proof, HOME)

    def test_synchronised_passkeys_do_not_count(self, dora: Actor) -> None:
        device = Authenticator(PARTY, counts=False)
        add_passkey(dora, device)
        for _number in range(3):
            sign_in(device)

    def test_nobody_signs_for_another(self, dora: Actor, bob: Actor) -> None:
        hers, his = Authenticator(PARTY), Authenticator(PARTY)
        add_passkey(dora, hers)
        add_passkey(bob, his)
        with pytest.raises(Invalid):
            sign_in(his, userHandle=str(dora.user_id).encode())
        his.credential_id = hers.credential_id
        with pytest.raises(Invalid):
            sign_in(his)
        his.credential_id = secrets.token_bytes(32)
        with pytest.raises(Invalid):
            sign_in(his)
        assert refusals() == ["another person's", "another person's", "unknown"]

    @pytest.mark.parametrize("part", ["authenticatorData", "clientDataJSON", "signature", "userHandle"])
    @pytest.mark.parametrize("value", [b"x", b"\xff" * 300])
    def test_broken_parts_are_refused_in_the_same_words(self, dora: Actor, part: str, value: bytes) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        with pytest.raises(Invalid, match="The passkey was not accepted"):
            sign_in(device, **{part: value})

    @pytest.mark.parametrize(
        "change", [{"response": None}, {"response": []}, {"id": None}, {"id": "\0" * 20}, {"type": "x"}, {"rawId": 1}]
    )
    def test_other_shapes_are_refused(self, dora: Actor, change: dict[str, object]) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        ceremony = services.begin_passkey_sign_in(HOME, PARTY)
        answer = json.dumps(json.loads(device.sign(ceremony.options)) | change)
        with pytest.raises(Invalid):
            services.sign_in_with_passkey(ceremony.token, PasskeyProof(answer, PARTY), HOME)

    def test_a_challenge_counts_once_even_for_a_wrong_answer(self, dora: Actor) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        ceremony = services.begin_passkey_sign_in(HOME, PARTY)
        good = PasskeyProof(device.sign(ceremony.options), PARTY)
        with pytest.raises(Invalid, match="not accepted"):
            services.sign_in_with_passkey(ceremony.token, PasskeyProof("{}", PARTY), HOME)
        with pytest.raises(pending.Expired):
            services.sign_in_with_passkey(ceremony.token, good, HOME)

    def test_challenges_are_limited_and_forgotten(self, session: object, monkeypatch: pytest.MonkeyPatch) -> None:
        for _number in range(services.CHALLENGES_PER_ADDRESS):
            services.begin_passkey_sign_in(HOME, PARTY)
        with pytest.raises(TooMany):
            services.begin_passkey_sign_in(HOME, PARTY)
        late = pending.utc_now() + pending.LIFETIME
        monkeypatch.setattr(pending, "utc_now", lambda: late)
        pending.drop_expired()
        assert db.session.scalar(sa.select(sa.func.count()).select_from(PendingSignIn)) == 0


class TestKeeping:
    def test_renaming_and_removing(self, dora: Actor, bob: Actor, told: list[str]) -> None:
        add_passkey(dora, Authenticator(PARTY), "One")
        add_passkey(dora, Authenticator(PARTY), "Two")
        one, two = services.list_factors(dora).passkeys
        for change in (lambda: services.rename_passkey(bob, one.id, "His"), lambda: services.remove_passkey(bob, one.id)):
            with pytest.raises(NotFound):
                change()
        services.rename_passkey(dora, one.id, "مفتاح")
        services.remove_passkey(dora, two.id)
        assert [row.name for row in services.list_factors(dora).passkeys] == ["مفتاح"]
        assert db.session.get_one(User, dora.user_id).two_factor_enabled
        services.remove_passkey(dora, one.id)
        assert not db.session.get_one(User, dora.user_id, populate_existing=True).two_factor_enabled
        assert told[-2:] == ["notice.passkey_removed", "notice.second_factor_off"]

    def test_a_removed_passkey_signs_nobody_in(self, dora: Actor) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        services.remove_passkey(dora, services.list_factors(dora).passkeys[0].id)
        with pytest.raises(Invalid):
            sign_in(device)
