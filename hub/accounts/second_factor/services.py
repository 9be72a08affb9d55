"""The second factor of a person: what they have, adding and removing it, and signing in with it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _

from hub.accounts import rate_limits
from hub.accounts.actors import Client, person_of
from hub.accounts.models import Plan, User
from hub.accounts.notices import Notice, notify
from hub.accounts.second_factor import passkeys, pending, proofs, recovery, totp
from hub.accounts.second_factor.models import Passkey, Purpose
from hub.accounts.second_factor.passkeys import RelyingParty
from hub.accounts.second_factor.proofs import CodeProof, PasskeyProof, Proof
from hub.accounts.sessions import end_sessions, open_session
from hub.accounts.step_up import require_recent
from hub.audit.services import record_event
from hub.contracts.actor import Actor, Role
from hub.errors import Conflict, Invalid, NotFound
from hub.extensions import db
from hub.second_factor_settings import OPERATORS
from hub.storable import clean_text

#: Of one address in five minutes: each view of the sign-in page asks for a challenge.
CHALLENGES_PER_ADDRESS = 100
PASSKEYS_PER_ADDRESS = 30


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A challenge for the browser: ``options`` for its API, and ``token`` to send back with its answer."""

    token: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    """A passkey as its owner sees it. ``backed_up``: it lives in an account of its maker's, not in one device alone."""

    id: str
    name: str
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    backed_up: bool
    suspected_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person has. ``is_on``: signing in with the password asks for more."""

    is_on: bool
    has_app: bool
    codes_left: int
    passkeys: list[PasskeyRow]


def is_required(role: Role, plan: Plan) -> bool:
    """Whether operators demand a second factor of such a person."""
    required: frozenset[str] = current_app.extensions["hub_config"].require_second_factor
    return plan.lower() in required or (role is Role.OPERATOR and OPERATORS in required)


def list_factors(actor: Actor) -> Factors:
    """What the actor has set up."""
    user_id = person_of(actor)
    user = db.session.execute(sa.select(User.two_factor_enabled, User.two_factor_secret).where(User.id == user_id)).one()
    rows = db.session.scalars(sa.select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.created_at, Passkey.id))
    keys = [PasskeyRow(row.id, row.name, row.created_at, row.last_used_at, row.backed_up, row.suspected_at) for row in rows]
    left = recovery.count_left(user_id) if user.two_factor_enabled else 0
    return Factors(user.two_factor_enabled, user.two_factor_secret is not None, left, keys)


# Signing in


def finish(pending_token: str | None, proof: Proof, client: Client, *, replaces: str | None = None) -> str:
    """Complete a sign-in that waits for its second factor; answers the session's token. ``replaces``: see ``sign_in``.

    ``pending.Expired`` after ten minutes, ``Invalid`` for a wrong proof, ``TooMany`` after too many of them.
    """
    user_id = pending.find_sign_in(pending_token)
    token = pending_token or ""
    if isinstance(proof, CodeProof):
        proofs.accept_code(user_id, proof.text, client)
    else:
        proofs.accept_passkey(user_id, proof, pending.take_challenge(token), client)
    pending.take(token, Purpose.SECOND_FACTOR)
    return open_session(user_id, client, replaces=replaces)


def ask_for_passkey(pending_token: str | None, party: RelyingParty | None) -> dict[str, Any]:
    """The browser's options for a passkey as the second factor of a waiting sign-in."""
    user_id = pending.find_sign_in(pending_token)
    options = passkeys.proof_options(user_id, _known(party))
    pending.set_challenge(pending_token or "", options["challenge"])
    return options


def has_passkey(pending_token: str | None) -> bool:
    """Whether who waits with this token may answer with a passkey; ``pending.Expired`` when nobody does."""
    return owns_passkey(pending.find_sign_in(pending_token))


def has_app(pending_token: str) -> bool:
    """Whether who waits with this token has an app for codes, besides the recovery codes."""
    user_id = pending.find_sign_in(pending_token)
    return db.session.scalar(sa.select(User.two_factor_secret).where(User.id == user_id)) is not None


def begin_passkey_sign_in(client: Client, party: RelyingParty | None, *, browser: str = "") -> Ceremony:
    """The challenge for signing in with a passkey alone; it tells nothing of who has an account.

    ``browser`` is a secret that only this browser has: an answer that was taken from it counts nowhere else.
    """
    address = rate_limits.address_block(client.ip_address)
    rate_limits.count_attempt({f"passkey-challenge:{address}": CHALLENGES_PER_ADDRESS})
    options = passkeys.sign_in_options(_known(party))
    return Ceremony(pending.begin(Purpose.PASSKEY, client, challenge=options["challenge"], browser=browser), options)


def sign_in_with_passkey(
    token: str, proof: PasskeyProof, client: Client, *, browser: str = "", replaces: str | None = None
) -> str:
    """The token of a new session: a passkey whose device checked who is there is both factors at once."""
    limits = {f"passkey:{rate_limits.address_block(client.ip_address)}": PASSKEYS_PER_ADDRESS}
    rate_limits.count_attempt(limits)
    challenge = _take_challenge(token, Purpose.PASSKEY, browser=browser)
    accepted = proofs.accept_signature(proof, challenge, client, verified=True)
    rate_limits.give_back(limits)
    details = {"method": "passkey alone"}
    actor = client.as_actor(accepted.user_id)
    record_event(actor, "second_factor.check", "passkey", accepted.passkey_id, details=details)
    return open_session(accepted.user_id, client, replaces=replaces)


# Confirming who one is


def begin_confirmation(actor: Actor, party: RelyingParty | None) -> Ceremony:
    """The challenge for showing again, with a passkey, who one is (``hub.accounts.step_up``)."""
    user_id = person_of(actor)
    options = passkeys.proof_options(user_id, _known(party))
    token = pending.begin(Purpose.CONFIRMATION, _client_of(actor), user_id=user_id, challenge=options["challenge"])
    return Ceremony(token, options)


def confirm_with_passkey(user_id: str, token: str, proof: PasskeyProof, client: Client) -> None:
    """Take the answer to ``begin_confirmation``; ``Invalid`` where it does not hold."""
    proofs.accept_passkey(user_id, proof, _take_challenge(token, Purpose.CONFIRMATION, user_id), client)


def has_factor(user_id: str) -> bool:
    """Whether a second factor is asked of this person; then there are recovery codes too."""
    return bool(db.session.scalar(sa.select(User.two_factor_enabled).where(User.id == user_id)))


def owns_passkey(user_id: str) -> bool:
    """Whether this person has a passkey."""
    return db.session.scalar(sa.select(Passkey.id).where(Passkey.user_id == user_id).limit(1)) is not None


# Authenticator app


def begin_app(actor: Actor) -> totp.Enrolment:
    """A new secret to scan; nothing changes until ``confirm_app``."""
    require_recent(actor)
    return totp.begin_enrolment(person_of(actor), _email_of(actor))


def open_app_enrolment(actor: Actor, sealed: str) -> totp.Enrolment:
    """The secret that the actor was shown, to show it again."""
    return totp.open_enrolment(person_of(actor), _email_of(actor), sealed)


def confirm_app(actor: Actor, sealed: str, code: str) -> list[str]:
    """Switch to the scanned secret, once a code shows that it was scanned; answers recovery codes if this is the first factor."""
    require_recent(actor)
    user_id = person_of(actor)
    enrolment = open_app_enrolment(actor, sealed)
    step = totp.step_of(enrolment.secret, proofs.plain_digits(code))
    if step is None:
        raise Invalid(fields={"code": _("The code is wrong or too old. Take the present one from your app.")})
    totp.store_secret(user_id, enrolment.secret, step)
    record_event(actor, "second_factor.app_add", "user", user_id)
    codes = _switch_on(actor)
    if not codes:
        notify(_user(actor), Notice.APP_REPLACED, _client_of(actor))
    db.session.commit()
    return codes


def remove_app(actor: Actor) -> None:
    """Take the authenticator app off; ``Conflict`` where it is the last factor of somebody who must have one."""
    require_recent(actor)
    user_id = person_of(actor)
    removed = sa.update(User).where(User.id == user_id, User.two_factor_secret.is_not(None)).values(two_factor_secret=None)
    if not db.session.execute(removed.returning(User.id)).all():
        raise NotFound
    record_event(actor, "second_factor.app_remove", "user", user_id)
    if not _switch_off_after_last(actor):
        notify(_user(actor), Notice.APP_REMOVED, _client_of(actor))
    db.session.commit()


# Recovery codes


def renew_codes(actor: Actor) -> list[str]:
    """Ten new codes; the old ones end. ``Conflict`` without another factor that they could stand in for."""
    require_recent(actor)
    user_id = person_of(actor)
    if not _user(actor).two_factor_enabled:
        raise Conflict(_("Set up an authenticator app or a passkey first."))
    codes = recovery.make_codes(user_id)
    record_event(actor, "second_factor.codes_create", "user", user_id)
    notify(_user(actor), Notice.RECOVERY_CODES_CREATED, _client_of(actor))
    db.session.commit()
    return codes


# Passkeys


def check_room_for_passkey(actor: Actor, party: RelyingParty | None) -> None:
    """``Conflict`` where the actor cannot add a passkey: none work at this address, or there are too many."""
    require_recent(actor)
    _known(party)
    count = db.session.scalar(sa.select(sa.func.count()).where(Passkey.user_id == person_of(actor))) or 0
    if count >= passkeys.MOST:
        raise Conflict(_("You have %(most)s passkeys. Remove one first.", most=passkeys.MOST))


def begin_passkey(actor: Actor, party: RelyingParty | None) -> Ceremony:
    """The challenge for a new passkey of the actor's."""
    check_room_for_passkey(actor, party)
    user = _user(actor)
    options = passkeys.registration_options(user.id, user.email, user.name, _known(party))
    token = pending.begin(Purpose.REGISTRATION, _client_of(actor), user_id=user.id, challenge=options["challenge"])
    return Ceremony(token, options)


def add_passkey(actor: Actor, token: str, proof: PasskeyProof, name: str) -> list[str]:
    """Store the passkey that the browser made; answers recovery codes if it is the first factor."""
    check_room_for_passkey(actor, proof.party)
    user_id, name = person_of(actor), _passkey_name(name)
    challenge = _take_challenge(token, Purpose.REGISTRATION, user_id)
    try:
        passkey = passkeys.add_passkey(user_id, proof.answer, challenge, _known(proof.party), name)
    except passkeys.Refused as refused:
        record_event(actor, "passkey.create", "passkey", success=False, details={"reason": refused.reason})
        db.session.commit()
        raise Invalid(_("The passkey could not be made. Try again.")) from refused
    record_event(actor, "passkey.create", "passkey", passkey.id, details={"name": name})
    codes = _switch_on(actor)
    if not codes:
        notify(_user(actor), Notice.PASSKEY_ADDED, _client_of(actor), name=name)
    db.session.commit()
    return codes


def rename_passkey(actor: Actor, passkey_id: str, name: str) -> None:
    """Give one of the actor's passkeys another name."""
    owned = sa.select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == person_of(actor))
    passkey = db.session.scalar(owned)
    if passkey is None:
        raise NotFound
    passkey.name = _passkey_name(name)
    record_event(actor, "passkey.update", "passkey", passkey_id)
    db.session.commit()


def remove_passkey(actor: Actor, passkey_id: str) -> None:
    """Take one of the actor's passkeys off; ``Conflict`` where it is the last factor of somebody who must have one."""
    require_recent(actor)
    owned = sa.delete(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == person_of(actor))
    name = db.session.execute(owned.returning(Passkey.name)).scalar_one_or_none()
    if name is None:
        raise NotFound
    record_event(actor, "passkey.delete", "passkey", passkey_id, details={"name": name})
    if not _switch_off_after_last(actor):
        notify(_user(actor), Notice.PASSKEY_REMOVED, _client_of(actor), name=name)
    db.session.commit()


def _passkey_name(name: str) -> str:
    name = clean_text(name).strip()
    if not 1 <= len(name) <= 80:
        raise Invalid(fields={"name": _("Enter a name of at most 80 characters.")})
    return name


# For operators


def reset_second_factor(actor: Actor, user_id: str) -> None:
    """Take all factors of a person off, who lost them, and end all their sessions: a lost device may be signed in.

    The password stays, and a mail tells its owner.
    """
    user = db.session.get_one(User, user_id)
    if not user.two_factor_enabled:
        raise Conflict(_("%(email)s has no second factor.", email=user.email))
    db.session.execute(sa.delete(Passkey).where(Passkey.user_id == user_id))
    db.session.execute(sa.update(User).where(User.id == user_id).values(two_factor_secret=None))
    _switch_off(user_id)
    record_event(actor, "second_factor.reset", "user", user_id)
    end_sessions(actor, user_id)
    notify(user, Notice.SECOND_FACTOR_OFF, _client_of(actor))
    db.session.commit()


def _switch_on(actor: Actor) -> list[str]:
    """Ask for a second factor from now on; recovery codes when it was off. Sessions that began without one end, but for this."""
    user_id = person_of(actor)
    off = sa.update(User).where(User.id == user_id, User.two_factor_enabled.is_(False)).values(two_factor_enabled=True)
    if not db.session.execute(off.returning(User.id)).all():
        return []
    record_event(actor, "second_factor.enable", "user", user_id)
    end_sessions(actor, user_id, but=actor.session_id)
    notify(_user(actor), Notice.SECOND_FACTOR_ON, _client_of(actor))
    return recovery.make_codes(user_id)


def _switch_off_after_last(actor: Actor) -> bool:
    """Whether no factor is left, and so none is asked for any more; then all other sessions end.

    The person is locked: of two factors that are removed at the same time the second one is seen to be the last.
    """
    user = db.session.get_one(User, person_of(actor), populate_existing=True, with_for_update=True)
    if user.two_factor_secret or owns_passkey(user.id):
        return False
    if is_required(user.role, user.plan):
        db.session.rollback()
        record_event(actor, "second_factor.disable", "user", user.id, success=False)
        db.session.commit()
        raise Conflict(_("You must have a second factor here. Set up another one before you remove this one."))
    _switch_off(user.id)
    record_event(actor, "second_factor.disable", "user", user.id)
    end_sessions(actor, user.id, but=actor.session_id)
    notify(user, Notice.SECOND_FACTOR_OFF, _client_of(actor))
    return True


def _switch_off(user_id: str) -> None:
    recovery.drop_codes(user_id)
    pending.forget_pending(user_id)
    db.session.execute(sa.update(User).where(User.id == user_id).values(two_factor_enabled=False))


def _take_challenge(token: str, purpose: Purpose, user_id: str | None = None, browser: str = "") -> str:
    """A challenge counts once, whatever the answer to it is worth; so its end is committed at once."""
    waiting = pending.take(token, purpose, user_id=user_id, browser=browser)
    db.session.commit()
    return waiting.challenge or ""


def _known(party: RelyingParty | None) -> RelyingParty:
    if party is None:
        raise Conflict(proofs.no_passkeys_here())
    return party


def _user(actor: Actor) -> User:
    return db.session.get_one(User, person_of(actor), populate_existing=True)


def _email_of(actor: Actor) -> str:
    return db.session.execute(sa.select(User.email).where(User.id == person_of(actor))).scalar_one()


def _client_of(actor: Actor) -> Client:
    return Client(ip_address=actor.ip_address, user_agent=actor.user_agent, via=actor.via)
