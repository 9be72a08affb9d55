"""The ZIP: everything of the person, nothing of another, no secret, bounded memory, for a day and for its owner alone."""

from __future__ import annotations

import json
import os
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts.api_keys import create_api_key
from hub.accounts.users import register_user
from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.errors import NeedsReauthentication, NotAllowed, NotFound
from hub.extensions import db
from hub.http_builder import environments
from hub.http_builder.environments import VariableDraft
from hub.http_builder.models import RequestFile, RequestRun, RequestRunBody, RunState
from hub.instances import services as instances
from hub.jobs.registry import JobContext
from hub.my_data import archive, services
from hub.my_data.archive import write_archive
from hub.my_data.jobs import export_data, keep_house
from hub.my_data.ownership import Person
from hub.my_data.services import ExportState
from tests.hub.accounts.people import HOME, PASSWORD, events
from tests.hub.factories import make_execution, make_instance, make_workflow

N8N_KEY, SECRET = "n8n-key-in-the-clear", "variable-in-the-clear"


@pytest.fixture(autouse=True)
def no_exports(app: Flask) -> Iterator[None]:
    yield
    with app.app_context():
        for file in services._folder().glob("*"):
            file.unlink()


@pytest.fixture
def at_cli(alice: Actor) -> Actor:
    """Alice, who needs no proof."""
    db.session.commit()
    return Actor(user_id=alice.user_id, via="cli")


def read(path: Path) -> tuple[dict[str, list[dict[str, Any]]], dict[str, bytes]]:
    """Rows by table, and the other files."""
    rows, files = {}, {}
    with zipfile.ZipFile(path) as zipped:
        assert zipped.testzip() is None
        for name in zipped.namelist():
            content = zipped.read(name)
            if name.endswith(".jsonl"):
                rows[name.removesuffix(".jsonl")] = [json.loads(line) for line in content.splitlines()]
            else:
                files[name] = content
    return rows, files


def export_of(person: Actor, tmp_path: Path, email: str = "alice@example.com") -> tuple[dict[str, Any], dict[str, bytes]]:
    db.session.commit()
    write_archive(tmp_path / "mine.zip", Person(str(person.user_id), email))
    return read(tmp_path / "mine.zip")


def test_everything_of_a_person_is_in_it_and_nothing_of_another(
    alice: Actor, bob: Actor, fill: Callable[[Actor], dict[str, Any]], tmp_path: Path
) -> None:
    """One row of every table, with its key; Bob's ids are nowhere."""
    db.session.execute(sa.delete(AuditLog))
    mine, others = fill(alice), fill(bob)
    body = zlib.compress(b"answer")
    db.session.execute(sa.update(RequestRunBody).values(content=body))
    rows, files = export_of(alice, tmp_path)
    assert set(rows) == set(mine) - {"hash_keys"}
    assert {table: len(found) for table, found in rows.items()} == {**dict.fromkeys(rows, 1), "sessions": 2}
    text = json.dumps(rows) + "".join(files)
    assert [key for table, key in others.items() if table != "hash_keys" and key in text] == []
    assert [table for table, key in mine.items() if table in rows and key not in json.dumps(rows[table])] == []


def test_no_secret_is_in_it_only_names_and_hosts(alice: Actor, tmp_path: Path) -> None:
    instances.create_instance(alice, name="Shop", url="http://127.0.0.9:5678", api_key=N8N_KEY)
    draft = VariableDraft(name="TOKEN", value=SECRET, is_secret=True, hosts=("api.example.com",))
    variable = environments.create_variable(alice, None, draft)
    _key, api_key = create_api_key(Actor(user_id=alice.user_id, via="cli"), "Script", ["read"])
    sealed = variable.secret_value
    rows, files = export_of(alice, tmp_path)
    (told,) = rows["variables"]
    assert (told["name"], told["hosts"]) == ("TOKEN", ["api.example.com"])
    everything = json.dumps(rows) + "".join(content.decode() for content in files.values())
    assert [word for word in (N8N_KEY, SECRET, api_key, str(sealed), "v1.") if word in everything] == []
    assert "instances.api_key" in files["README.txt"].decode()


def test_files_and_answers_are_in_it_as_they_were(alice: Actor, tmp_path: Path) -> None:
    """A name that would lead out of the folder does not."""
    asked = {"user_id": alice.user_id, "name": "Ask", "method": "GET", "url": "https://a.example", "definition": {}}
    run = RequestRun(**asked, state=RunState.DONE)
    file = RequestFile(user_id=alice.user_id, name="../../etc/صورة x.png", media_type="image/png", size=3, content=b"\x89PN")
    db.session.add_all([run, file])
    db.session.flush()
    db.session.add(RequestRunBody(run_id=run.id, content=zlib.compress(b'{"paid": true}')))
    rows, files = export_of(alice, tmp_path)
    assert files[f"answers/{run.id}.bin"] == b'{"paid": true}'
    (name,) = (name for name in files if name.startswith("files/"))
    assert ".." not in name
    assert files[name] == b"\x89PN"
    assert rows["request_files"][0]["content"] == name
    assert rows["request_files"][0]["name"] == "../../etc/صورة x.png"


def test_the_record_of_what_was_done_is_in_it(at_cli: Actor, tmp_path: Path) -> None:
    services.request_export(at_cli)
    rows, _files = export_of(at_cli, tmp_path)
    assert [row["action"] for row in rows["audit_logs"]] == ["user.export"]


def test_a_large_account_needs_no_more_memory(alice: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the executions, each with 200 kB of data, in the same few megabytes."""
    workflow = make_workflow(make_instance(alice))
    monkeypatch.setattr(archive, "FEW", 5)

    def peak(until: int) -> int:
        present = db.session.scalar(sa.text("SELECT count(*) FROM executions"))
        for number in range(present, until):
            make_execution(workflow, number, data={"text": "x" * 200_000})
        db.session.commit()
        db.session.expunge_all()
        export_of(alice, tmp_path)
        tracemalloc.start()
        write_archive(tmp_path / "mine.zip", Person(str(alice.user_id), "alice@example.com"))
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few = peak(10)
    workflow = db.session.merge(workflow)
    many = peak(40)
    assert many < few * 1.5


def test_the_way_of_an_export(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    browser = browser_of(alice)
    assert "Export everything" in browser.get("/account/data").text
    assert browser.get("/account/data/export").status_code == 404
    assert browser.post("/account/data/export").status_code == 303
    page = browser.get("/account/data").text
    assert "Collecting…" in page
    assert 'hx-trigger="every 2s"' in page
    services.run_export(str(alice.user_id), lambda _done, _total: None)
    db.session.execute(sa.text("UPDATE jobs SET state = 'DONE'"))
    db.session.commit()
    assert "Your export is ready" in browser.get("/account/data").text
    answer = browser.get("/account/data/export")
    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=ai-http-hub-")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data[:2] == b"PK"
    answer.close()
    assert (len(events("user.export")), len(events("user.download_export"))) == (1, 1)
    file = services._file_of(str(alice.user_id))
    assert file.stat().st_mode & 0o077 == 0
    yesterday = time.time() - services.KEEP.total_seconds() - 1
    os.utime(file, (yesterday, yesterday))
    assert browser.get("/account/data/export").status_code == 404
    keep_house(JobContext("j", 1))
    assert not file.exists()


def test_it_is_behind_a_fresh_proof_and_closed_to_keys(
    alice: Actor, browser_of: Callable[[Actor], FlaskClient], long_ago: Callable[[Actor], None]
) -> None:
    browser = browser_of(alice)
    long_ago(alice)
    for answer in (browser.post("/account/data/export"), browser.get("/account/data/export")):
        assert (answer.status_code, "/account/confirm" in answer.headers["Location"]) == (303, True)
    with pytest.raises(NeedsReauthentication):
        services.request_export(alice)
    with pytest.raises(NotAllowed):
        services.request_export(Actor(user_id=alice.user_id, permissions=frozenset({"read", "write"})))
    assert events("user.export") == []


def test_nobody_fetches_anothers(at_cli: Actor, bob: Actor) -> None:
    services.run_export(str(at_cli.user_id), lambda _done, _total: None)
    assert services.open_export(at_cli).is_file()
    with pytest.raises(NotFound):
        services.open_export(Actor(user_id=bob.user_id, via="cli"))


def test_an_export_that_failed_says_so_and_can_be_asked_for_again(at_cli: Actor) -> None:
    services.request_export(at_cli)
    assert services.find_export(at_cli).state is ExportState.RUNNING
    db.session.execute(sa.text("UPDATE jobs SET state = 'FAILED'"))
    db.session.commit()
    assert services.find_export(at_cli).state is ExportState.FAILED
    assert services.request_export(at_cli).state is ExportState.RUNNING


def test_the_job_leaves_nothing_of_somebody_who_is_gone(session: object) -> None:
    export_data(JobContext("j", 1), user_id="c" + "0" * 24)
    assert list(services._folder().glob("*")) == []


def test_a_signed_in_program_asks_for_it_and_a_key_may_not(client: FlaskClient, session: object) -> None:
    user = register_user("rana@example.com", PASSWORD, "Rana", client=HOME)
    tokens = client.post("/api/v1/auth/login", json={"email": "rana@example.com", "password": PASSWORD}).json
    _key, secret = create_api_key(Actor(user_id=user.id, via="cli"), "Script", ["read", "write"])

    def call(method: str, bearer: str) -> Any:
        return client.open("/api/v1/me/export", method=method, headers={"Authorization": f"Bearer {bearer}"})

    assert [call(method, secret).status_code for method in ("GET", "POST")] == [403, 403]
    token = tokens["accessToken"]
    assert call("GET", token).json == {"state": "NONE", "size": None, "expiresAt": None, "done": 0, "total": None}
    answer = call("POST", token)
    assert (answer.status_code, answer.json["state"]) == (202, "RUNNING")
    assert call("GET", token).json["state"] == "RUNNING"
