"""Backups: complete, private, judged before they are restored, and proven afterwards."""

from __future__ import annotations

import base64
import io
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts.models import User
from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.database import migrations
from hub.database.backups import MANIFEST, create_backup
from hub.database.restoring import restore_backup
from hub.database.tables import read_counts
from hub.errors import Conflict, Invalid
from hub.extensions import db
from hub.instances.models import Instance
from hub.instances.services import create_instance, open_client

OTHER_KEY = base64.b64encode(bytes(range(101, 133))).decode()


def fill() -> None:
    """A person with a connected n8n, and texts that a careless format would break."""
    migrations.upgrade_database()
    db.session.add(User(id="c1", email="a@example.com", password="!", name="تب\tسطر\nجديد \\N '\"", settings={"theme": "dark"}))
    db.session.commit()
    create_instance(Actor(user_id="c1"), name="Mine", url="https://n8n.example.com", api_key="n8n-secret-key")


@pytest.fixture
def backup(empty_app: Flask, tmp_path: Path) -> Path:
    with empty_app.app_context():
        fill()
        return create_backup(tmp_path / "backup.zip").path


def test_a_backup_comes_back_whole(backup: Path, fresh_database: Callable[[], str], open_app: Callable[..., Flask]) -> None:
    with open_app(fresh_database()).app_context():
        report = restore_backup(backup)
        assert report.counts == read_counts()
        assert (report.counts["users"], report.counts["instances"], report.counts["audit_logs"]) == (1, 1, 1)
        assert report.heads == {version.owner: version.head for version in migrations.list_versions()}
        assert (report.key_fits, report.encryption) == (True, "1 of 1 n8n API keys open")
        user = db.session.scalars(sa.select(User)).one()
        assert (user.name, user.settings) == ("تب\tسطر\nجديد \\N '\"", {"theme": "dark"})
        with open_client(db.session.scalars(sa.select(Instance)).one()) as client:
            assert client is not None
        db.session.remove()
        assert migrations.find_differences() == []


def test_a_backup_is_private_and_holds_no_key_in_the_clear(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with zipfile.ZipFile(backup) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"a@example.com" in content
    assert b"n8n-secret-key" not in content
    assert [path.name for path in backup.parent.glob("backup*")] == ["backup.zip"]


def test_an_existing_file_is_not_overwritten(backup: Path, empty_app: Flask) -> None:
    before = backup.read_bytes()
    with empty_app.app_context(), pytest.raises(Conflict, match="exists already"):
        create_backup(backup)
    assert backup.read_bytes() == before


def test_a_database_with_rows_is_overwritten_by_force_only(backup: Path, empty_app: Flask) -> None:
    with empty_app.app_context():
        db.session.add(User(id="c2", email="later@example.com", password="!", name="Later"))
        db.session.commit()
        with pytest.raises(Conflict, match="holds 5 rows"):
            restore_backup(backup)
        assert read_counts()["users"] == 2
        db.session.remove()
        assert restore_backup(backup, force=True).counts["users"] == 1
        assert db.session.scalars(sa.select(User.id)).all() == ["c1"]


def test_a_missing_key_is_told(backup: Path, fresh_database: Callable[[], str], open_app: Callable[..., Flask]) -> None:
    with open_app(fresh_database(), ENCRYPTION_KEY=OTHER_KEY).app_context():
        report = restore_backup(backup)
    assert (report.key_fits, report.encryption) == (False, "0 of 1 n8n API keys open")


def rewrite(backup: Path, old: bytes, new: bytes) -> Path:
    """The backup with another manifest."""
    changed = backup.with_name("changed.zip")
    with zipfile.ZipFile(backup) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content.replace(old, new) if name == MANIFEST else content)
    assert changed.read_bytes() != backup.read_bytes()
    return changed


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'"hub": "', b'"hub": "9', "newer than this code"),
        (b'"hub": "', b'"orchard": "', "plugin orchard"),
        (b'"format": 1', b'"format": 2', "later hub"),
        (b'"users": 1', b'"users": 2', "not those of the manifest in: users"),
    ],
)
def test_a_backup_that_does_not_fit_is_refused(
    backup: Path, fresh_database: Callable[[], str], open_app: Callable[..., Flask], old: bytes, new: bytes, reason: str
) -> None:
    with open_app(fresh_database()).app_context(), pytest.raises((Conflict, Invalid), match=reason):
        restore_backup(rewrite(backup, old, new))


def test_a_backup_of_another_kind_of_database_is_refused(backup: Path, empty_app: Flask) -> None:
    with empty_app.app_context():
        kind = db.engine.dialect.name.encode()
        other = b"sqlite" if kind == b"postgresql" else b"postgresql"
        with pytest.raises(Invalid, match="but DATABASE_URL names"):
            restore_backup(rewrite(backup, b'"database": "' + kind, b'"database": "' + other), force=True)
        assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditLog)) == 1


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_backup_is_refused(empty_app: Flask, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other.zip"
    file.write_bytes(content)
    with empty_app.app_context(), pytest.raises(Invalid, match="no backup"):
        restore_backup(file)


def damaged_copies(whole: bytes) -> Iterator[bytes]:
    """The backup with sixteen wrong bytes inside one member's data after the other.

    One wrong byte may happen to unpack to the same content (deflate pads, and describes codes that it never uses).
    """
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = [each for each in archive.infolist() if each.compress_size > 100]
    for member in members:
        header = whole[member.header_offset :]
        # 30 bytes, the name and the extra field stand before the data (APPNOTE 4.3.7).
        begin = member.header_offset + 30 + sum(struct.unpack("<2H", header[26:30]))
        for part in (0, 0.3, 0.6):
            place = begin + int(part * member.compress_size)
            yield whole[:place] + bytes(byte ^ 0xFF for byte in whole[place : place + 16]) + whole[place + 16 :]


def test_a_damaged_backup_changes_nothing(backup: Path, empty_app: Flask) -> None:
    """Whether wrong bytes break the checksum or already the compression is chance, so try several."""
    copies = list(damaged_copies(backup.read_bytes()))
    assert len(copies) >= 6
    with empty_app.app_context():
        for copy in copies:
            backup.write_bytes(copy)
            with pytest.raises(Invalid, match="damaged"):
                restore_backup(backup, force=True)
        assert read_counts()["users"] == 1
