"""``hub user`` and ``hub api-key``, and whom a command acts for."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from hub.accounts.api_keys import authenticate_api_key
from hub.accounts.models import ApiKey, User
from hub.audit.models import AuditLog
from hub.cli import main
from hub.cli.actor import choose_user
from hub.contracts.actor import Actor, Role
from hub.errors import Invalid, NotFound

Session = sa.orm.scoped_session[sa.orm.Session]


def hub(app: Flask, *arguments: str, **options: str) -> Result:
    return app.test_cli_runner().invoke(main, arguments, **options)  # type: ignore[arg-type]


def test_create_and_list(app: Flask, session: Session) -> None:
    result = hub(app, "user", "create", "Op@Example.com", "--operator", "--password-stdin", input="a long password\n")
    assert (result.exit_code, result.output) == (0, "Created op@example.com (operator).\n")
    user = session.scalars(sa.select(User)).one()
    assert (user.name, user.role) == ("Op", Role.OPERATOR)
    assert "a long password" not in user.password
    assert "op@example.com" in hub(app, "user", "list").output


def test_the_password_is_asked_for_twice(app: Flask, session: Session) -> None:
    result = hub(app, "user", "create", "a@example.com", input="a long password\na long password\n")
    assert result.exit_code == 0
    assert "a long password" not in result.output


def test_a_bad_user_is_one_line(app: Flask, session: Session) -> None:
    result = hub(app, "user", "create", "nobody", "--password-stdin", input="short\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("hub: ")
    assert session.scalars(sa.select(User)).all() == []


def test_an_api_key_is_printed_once_and_works(app: Flask, session: Session, alice: Actor) -> None:
    result = hub(app, "api-key", "create", "alice@example.com", "ci", "--permission", "read", "--expires-days", "30")
    assert result.exit_code == 0
    secret = result.stdout.strip()
    assert authenticate_api_key(secret).user_id == alice.user_id
    stored = session.scalars(sa.select(ApiKey)).one()
    assert secret not in (stored.key, stored.key_prefix)
    assert stored.expires_at is not None


def test_whom_a_command_acts_for(session: Session) -> None:
    with pytest.raises(Invalid, match="no user yet"):
        choose_user(None)
    session.add(User(email="one@example.com", password="!", name="One"))
    session.flush()
    assert choose_user(None).email == "one@example.com"
    session.add(User(email="two@example.com", password="!", name="Two"))
    session.flush()
    with pytest.raises(Invalid, match="--user EMAIL"):
        choose_user(None)
    session.add(User(email="op@example.com", password="!", name="Op", role=Role.OPERATOR))
    session.flush()
    assert choose_user(None).email == "op@example.com"
    assert choose_user("Two@example.com ").email == "two@example.com"
    with pytest.raises(NotFound):
        choose_user("three@example.com")


def test_everything_of_a_person_is_exported_into_a_file(app: Flask, session: Session, tmp_path: Path) -> None:
    file = tmp_path / "rana.zip"
    hub(app, "user", "create", "rana@example.com", "--password-stdin", input="a long password\n")
    result = hub(app, "user", "export", "Rana@example.com", str(file))
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Wrote {file}: ")
    with zipfile.ZipFile(file) as zipped:
        assert json.loads(zipped.read("users.jsonl"))["email"] == "rana@example.com"
    again = hub(app, "user", "export", "rana@example.com", str(file))
    assert (again.exit_code, "nothing was overwritten" in again.output) == (1, True)
    assert hub(app, "user", "export", "nobody@example.com", str(tmp_path / "x.zip")).exit_code == 1


def test_a_person_is_deleted_after_a_question(app: Flask, session: Session) -> None:
    hub(app, "user", "create", "rana@example.com", "--password-stdin", input="a long password\n")
    refused = hub(app, "user", "delete", "rana@example.com", input="n\n")
    assert "Delete rana@example.com with nothing else for ever?" in refused.output
    assert session.scalars(sa.select(User.email)).all() == ["rana@example.com"]
    result = hub(app, "user", "delete", "rana@example.com", "--yes")
    assert (result.exit_code, "The audit log keeps what was done." in result.output) == (0, True)
    assert session.scalars(sa.select(User)).all() == []


def test_the_last_operator_is_not_deleted(app: Flask, session: Session) -> None:
    hub(app, "user", "create", "op@example.com", "--operator", "--password-stdin", input="a long password\n")
    result = hub(app, "user", "delete", "op@example.com", "--yes")
    assert (result.exit_code, "only operator" in result.output) == (1, True)


def test_a_lost_second_factor_is_taken_off(app: Flask, session: Session) -> None:
    session.add(User(email="lost@example.com", password="!", name="Lost", two_factor_enabled=True, two_factor_secret="sealed"))
    session.commit()
    result = hub(app, "user", "reset-second-factor", "Lost@Example.com")
    assert (result.exit_code, result.output) == (0, "lost@example.com has no second factor now.\n")
    session.expire_all()
    user = session.scalars(sa.select(User).where(User.email == "lost@example.com")).one()
    assert (user.two_factor_enabled, user.two_factor_secret) == (False, None)
    events = session.scalars(sa.select(AuditLog).where(AuditLog.action == "second_factor.reset")).all()
    assert [(event.user_id, event.details["via"]) for event in events] == [(user.id, "cli")]
    again = hub(app, "user", "reset-second-factor", "lost@example.com")
    assert again.exit_code != 0
    assert "has no second factor" in again.output
    assert "Traceback" not in again.output
