"""Nothing encrypted is forgotten: envelopes stand at declared places, and every use of a key is written down."""

from __future__ import annotations

import ast

import pytest
import sqlalchemy as sa

from hub.config import ROOT
from hub.contracts.actor import Actor
from hub.crypto import current_vault
from hub.database import envelopes
from hub.database.envelopes import find_envelopes, find_undeclared, warn_of_lost_keys
from hub.encrypted_columns import encrypted_column, list_encrypted_columns
from hub.extensions import db
from tests.hub.database import secret_rows
from tests.security.estate import build_estate


def test_every_envelope_of_a_filled_database_is_declared(alice: Actor) -> None:
    build_estate(alice)
    secret_rows.fill(1, {"users": alice.user_id})
    assert find_envelopes() == {}
    assert len(secret_rows.envelopes()) >= len(list_encrypted_columns())


def test_an_undeclared_envelope_is_found_wherever_it_stands(alice: Actor) -> None:
    """Also within a JSON object; what only begins like one is none."""
    envelope = current_vault().encrypt("secret", binding="instances.api_key:c1")
    users = db.metadata.tables["users"]
    values = {"name": f"has {envelope}", "settings": {"deep": [{"key": envelope}]}}
    db.session.execute(sa.update(users).where(users.c.id == alice.user_id).values(values))
    instances = secret_rows.make_secret_row(next(each for each in list_encrypted_columns() if each.place == "instances.api_key"))
    db.session.execute(sa.text("UPDATE instances SET name = 'v1.12345678.version' WHERE id = :id"), {"id": instances})
    db.session.commit()
    assert find_envelopes() == {place: {current_vault().newest} for place in ("users.name", "users.settings")}


def test_what_a_plugin_forgot_to_declare_is_found(session: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelopes, "hub_tables", lambda: frozenset({"users", "audit_logs"}))
    monkeypatch.setattr(envelopes, "list_encrypted_columns", lambda: [])
    secret_rows.fill(1)
    assert "instances.api_key" in find_undeclared()


def test_a_column_is_declared_in_one_line(session: object) -> None:
    column = list_encrypted_columns()[0]
    assert encrypted_column(column.model, column.name, inside=column.inside) == column
    assert list_encrypted_columns().count(column) == 1


def test_the_log_says_once_that_values_cannot_be_read(session: object, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_lost_keys()
    assert caplog.records == []
    column = next(each for each in list_encrypted_columns() if each.place == "variables.secret_value")
    secret_rows.put(column, secret_rows.make_secret_row(column), "v1.ffffffff.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAA")
    db.session.commit()
    warn_of_lost_keys()
    assert [record.message for record in caplog.records] == [
        "1 encrypted values cannot be read with the present ENCRYPTION_KEY; nothing was changed. See: hub keys check"
    ]


def purposes() -> set[str]:
    """The second argument of every call of ``derive_key``."""
    found = set()
    for folder in ("hub", "plugins"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)) if "derive_key(" in text else ():
                if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "derive_key":
                    found.add(ast.unparse(node.args[1]).strip("'\""))
    return found


def test_what_a_new_key_does_to_every_derived_key_is_written_down() -> None:
    """A new purpose needs a line in docs/keys.md: what becomes of it when the key is changed, and who notices."""
    document = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    assert {purpose for purpose in purposes() if f"`{purpose}`" not in document} == set()
    assert {column.place for column in list_encrypted_columns() if f"`{column.place}`" not in document} == set()
    assert {"hub.secrets", "flask.session"} <= purposes()
