"""``hub request send``: by itself, without an account and without a database."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.config import ROOT
from tests.hub.egress.servers import Received, Server, Talk, answer, saying

KEY = "Zx81-Quite.Secret_Key"
SETTINGS = ("HUB_ENV", "HUB_ALLOWED_ADDRESSES", "HUB_HOST", "HUB_PORT", "HUB_CA_FILE")


@pytest.fixture
def start_server() -> Iterator[Callable[[Talk], Server]]:
    servers: list[Server] = []

    def start(talk: Talk) -> Server:
        servers.append(Server(talk))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def plain_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's configuration."""
    monkeypatch.setattr("hub.cli.request_send.read_environment", lambda: {"HUB_ENV": "development"})


def send(*arguments: str, code: int = 0, given: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["request", "send", *arguments], input=given)
    assert result.exit_code == code, result.output
    return result


def run_of(*arguments: str, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(send(*arguments, "--json", **options).stdout)
    return found


def here(server: Server, path: str = "/") -> str:
    return server.url(path, "127.0.0.1")


def test_a_run_as_json(start_server: Callable[[Talk], Server]) -> None:
    server = start_server(saying(answer(201, b'{"id": 7}', Content_Type="application/json", X_Two="a")))
    run = run_of("post", here(server, "/orders?x=1"), "--header", "X-One: first", "-H", "X-One:second", "--data", '{"a": 1}')
    (received,) = server.received
    assert (received.method, received.target, received.body) == ("POST", "/orders?x=1", b'{"a": 1}')
    assert received.all("X-One") == ["first", "second"]
    assert received.all("Content-Type") == ["application/json"]
    assert (run["state"], run["status"], run["reason"], run["body"], run["bodyBase64"]) == (
        "DONE",
        201,
        "Said",
        '{"id": 7}',
        None,
    )
    assert {"name": "X-Two", "value": "a"} in run["headers"]
    assert (run["bodySize"], run["truncated"], run["tls"], run["mediaType"]) == (9, False, None, "application/json")
    assert run["timing"]["totalMs"] >= run["timing"]["firstByteMs"] > 0
    assert [(hop["status"], hop["address"]) for hop in run["hops"]] == [(201, "127.0.0.1")]
    assert {"name": "X-One", "value": "second"} in run["sent"]["headers"]


def test_an_answer_for_people(start_server: Callable[[Talk], Server]) -> None:
    server = start_server(saying(answer(404, b"no\x1b[31m such page", Content_Type="text/plain")))
    lines = send("GET", here(server), "--text").stdout.splitlines()
    assert lines[0].startswith("404 Said  ")
    assert "Content-Type: text/plain" in lines
    assert lines[-1] == "no\\x1b[31m such page"


def test_a_body_that_is_no_text_is_base64(start_server: Callable[[Talk], Server]) -> None:
    server = start_server(saying(answer(200, b"\x89PNG\xff\x00")))
    run = run_of("GET", here(server))
    assert (run["body"], base64.b64decode(run["bodyBase64"])) == (None, b"\x89PNG\xff\x00")
    assert "no text" in send("GET", here(server), "--text").stderr


def test_data_from_a_file_and_from_standard_input_byte_for_byte(start_server: Callable[[Talk], Server], tmp_path: Path) -> None:
    server = start_server(saying(answer()))
    file = tmp_path / "body.bin"
    file.write_bytes(b"\x00\xff{{NAME}}\r\n")
    run_of("PUT", here(server), "-d", f"@{file}", "-H", "Content-Type: image/png")
    run_of("PUT", here(server), "--data", "@-", given=b"=a&b")
    first, second = server.received
    assert (first.body, first.all("Content-Type")) == (b"\x00\xff{{NAME}}\r\n", ["image/png"])
    assert (second.body, second.all("Content-Type")) == (b"=a&b", ["application/x-www-form-urlencoded"])
    assert "cannot be read" in send("PUT", here(server), "--data", "@/no/such/file", code=2).stderr


def test_a_secret_reaches_the_server_and_no_screen(start_server: Callable[[Talk], Server]) -> None:
    def talk(request: Received, connection: Any) -> None:
        connection.sendall(answer(200, request.everything.encode()))

    server = start_server(talk)
    for result in (
        send("GET", here(server), "-H", f"Authorization: Bearer {KEY}", "--json"),
        send("GET", here(server), "-H", f"Authorization: Bearer {KEY}", "--text"),
        send("GET", here(server), "-H", f"X-Api-Key: {KEY}", "--json"),
    ):
        assert KEY not in result.output
    assert [KEY in received.everything for received in server.received] == [True, True, True]


def test_redirects_are_followed_with_their_hops_or_not(start_server: Callable[[Talk], Server]) -> None:
    def talk(request: Received, connection: Any) -> None:
        connection.sendall(answer(302, Location="/end") if request.target == "/" else answer(200, b"here"))

    server = start_server(talk)
    run = run_of("GET", here(server))
    assert ([hop["status"] for hop in run["hops"]], run["body"]) == ([302, 200], "here")
    assert run_of("GET", here(server), "--no-redirects")["status"] == 302


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "address-never"),
        ("http://[::ffff:169.254.169.254]/", "address-never"),
        ("http://[fd00:ec2::254]/", "address-never"),
        ("http://0x7f000001/", "bad-url"),
        ("http://2130706433/", "bad-url"),
        ("http://10.0.0.1/", "address-refused"),
        ("http://user:pass@127.0.0.1/", "bad-url"),
        ("file:///etc/passwd", "bad-url"),
        ("http://127.0.0.1:6379/", "port-refused"),
        ("", "url-missing"),
        ("http://{{HOST}}/", "unresolved"),
    ],
)
def test_what_is_refused_is_a_problem_document(url: str, code: str) -> None:
    result = send("GET", url, "--json", code=1)
    problem = json.loads(result.stdout)
    assert problem["code"] == code
    assert problem["type"] == f"urn:problem-type:ai-http-hub:{code}"
    assert (problem["title"], problem["state"], problem["hops"]) == ("Not sent", "REFUSED", [])
    assert len(problem["detail"]) > 10
    assert "pass@" not in result.output
    (line,) = send("GET", url, "--text", code=1).stderr.splitlines()
    assert line.startswith("hub: Not sent. ")
    assert line.endswith(f"[{code}]")


def test_loopback_is_for_development_and_for_those_that_the_operator_lists(
    start_server: Callable[[Talk], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server(saying(answer(200, b"ok")))
    settings = {"HUB_ENV": "production"}
    monkeypatch.setattr("hub.cli.request_send.read_environment", lambda: settings)
    assert json.loads(send("GET", here(server), "--json", code=1).stdout)["code"] == "address-refused"
    settings["HUB_ALLOWED_ADDRESSES"] = f"127.0.0.1:{server.port}"
    assert run_of("GET", here(server))["body"] == "ok"
    assert len(server.received) == 1


def test_what_breaks_on_the_way_is_a_problem_too(start_server: Callable[[Talk], Server]) -> None:
    server = start_server(lambda _request, _connection: None)
    problem = json.loads(send("GET", here(server), "--json", code=1).stdout)
    assert (problem["title"], problem["state"], problem["phase"]) == ("No answer", "FAILED", "first_byte")


def test_wrong_usage() -> None:
    assert "no colon" in send("GET", "http://127.0.0.1:1025/", "-H", "nonsense", code=2).stderr
    assert json.loads(send("GET", "http://127.0.0.1:1/", code=1).stdout)["code"] == "port-refused"  # no terminal: JSON by itself
    assert json.loads(send("BREW", "http://127.0.0.1:1025/", "--json", code=1).stdout)["code"] == "bad-method"


def test_it_stands_alone(start_server: Callable[[Talk], Server], tmp_path: Path) -> None:
    """No key, no database and no account: a process with a configuration that no other command would start with."""
    server = start_server(saying(answer(200, b"alone")))
    settings = {"HUB_ENV": "development", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "HUB_INSTANCE_DIR": "/no/such"}
    command = [sys.executable, "-m", "hub", "request", "send", "GET", here(server), "--json"]
    environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["body"] == "alone"
