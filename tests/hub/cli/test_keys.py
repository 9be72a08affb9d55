"""``hub keys``: what it says and how it ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from hub.cli import main
from hub.config import ConfigError, as_encryption_keys, load_config
from hub.crypto import Vault
from hub.extensions import db
from tests.hub.database import secret_rows

OLD, NEW, OTHER = (bytes(range(first, first + 32)) for first in (1, 51, 101))


def hub(app: Flask, *arguments: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(main, ["keys", *arguments])
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def fill(app: Flask, key: bytes) -> dict[tuple[str, str], str]:
    app.extensions["hub_vault"] = Vault((key,))
    with app.app_context():
        return secret_rows.fill(1)


def test_a_key_is_changed(own_app: Flask) -> None:
    number = len(fill(own_app, OLD))
    own_app.extensions["hub_vault"] = vault = Vault((NEW, OLD))
    newest, older = vault.key_ids
    code, text = hub(own_app, "list")
    assert code == 0
    assert re.search(rf"{newest} +0  newest.*\n{older} +{number}  older", text)
    assert hub(own_app, "rotate", "--check")[0] == 1
    code, text = hub(own_app, "rotate")
    assert code == 0
    assert f"Encrypted {number} values anew with {newest}." in text
    assert f"The key {older} may leave" in text
    assert "Backups made before now still need it" in text
    assert hub(own_app, "rotate", "--check")[0] == 0
    own_app.extensions["hub_vault"] = Vault((NEW,))
    assert hub(own_app, "check") == (0, f"{number} of {number} values open.\n")


def test_a_wrong_key_is_said_with_every_row_and_nothing_is_changed(own_app: Flask) -> None:
    secrets = fill(own_app, OTHER)
    own_app.extensions["hub_vault"] = Vault((NEW, OLD))
    for command in (["check"], ["rotate"]):
        code, text = hub(own_app, *command)
        assert code == 1
        assert all(f"✗ {place} {key} " in text for place, key in secrets)
        assert f"needs the key {Vault((OTHER,)).newest}" in text
        assert "Nothing of this was changed" in text
        assert "may leave" not in text
    assert hub(own_app, "rotate", "--check")[0] == 1
    with own_app.app_context():
        assert secret_rows.lost(secrets, Vault((OTHER,))) == []
        db.session.remove()


def test_a_new_key_is_only_printed(own_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = own_app.test_cli_runner().invoke(main, ["keys", "new"])
    assert len(as_encryption_keys(result.stdout)[0]) == 32
    assert "Nothing was changed" in result.stderr
    assert not (tmp_path / "encryption.key").exists()
    monkeypatch.setenv("ENCRYPTION_KEY", result.stdout.strip())
    code, text = hub(own_app, "new", "--write")
    assert code == 1
    assert "ENCRYPTION_KEY is set" in text


def test_a_new_key_is_put_first_among_the_development_keys(
    own_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"HUB_INSTANCE_DIR": str(tmp_path / "own"), "DATABASE_URL": f"sqlite:///{tmp_path}/own.db"}
    before = load_config(environment).encryption_keys
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ENCRYPTION_KEY", raising=False)
    code, text = hub(own_app, "new", "--write")
    assert (code, "Put a new key first" in text) == (0, True)
    after = load_config(environment).encryption_keys
    assert after[1:] == before
    file = tmp_path / "own" / "encryption.key"
    assert file.stat().st_mode & 0o077 == 0
    file.write_text("not a key")
    with pytest.raises(ConfigError, match="put the right one back"):
        load_config(environment)
