"""``hub request``, ``hub environment`` and ``hub chain`` on a database of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from hub.cli import main
from tests.hub.http_builder.echo import EchoServer, echo_server

KEY = "Zx81-Quite.Secret_Key"
Call = Callable[..., Result]


@pytest.fixture
def hub(own_app: Flask) -> Call:
    runner = own_app.test_cli_runner()

    def call(*arguments: str, code: int = 0, given: str | None = None) -> Result:
        result = runner.invoke(main, list(arguments), input=given)
        assert result.exit_code == code, result.output
        assert KEY not in result.output
        return result

    return call


@pytest.fixture
def echo() -> EchoServer:
    with echo_server() as server:
        yield server


def words(line: str) -> list[str]:
    return line.split()


def test_from_a_command_in_the_documentation_to_an_answer(hub: Call, echo: EchoServer, tmp_path: Path) -> None:
    file = tmp_path / "curl.txt"
    file.write_text(f"curl http://127.0.0.1:{echo.port}/orders -H 'Authorization: Bearer {KEY}' -d 'a=1'")
    imported = hub("request", "import", str(file), "--folder", "Shop")
    assert words(imported.stdout)[0] == "new"
    (line,) = hub("request", "list").stdout.splitlines()
    request_id, method, *name, _url, folder = words(line)
    assert (method, folder) == ("POST", "Shop")
    shown = json.loads(hub("request", "show", " ".join(name)).stdout)
    assert shown["id"] == request_id
    assert [secret["hosts"] for secret in shown["secrets"]] == [[f"127.0.0.1:{echo.port}"]]
    run = json.loads(hub("request", "run", request_id, "--json").stdout)
    assert (run["status"], run["requestId"], run["body"]) == (200, request_id, "{}")
    assert (echo.received[0].body, dict(echo.received[0].headers)["Authorization"]) == (b"a=1", f"Bearer {KEY}")
    assert hub("request", "run", request_id).stdout.startswith("200 OK")
    assert "$" in hub("request", "export", request_id, "--as", "curl").stdout
    hub("request", "delete", request_id)
    assert hub("request", "list").stdout == ""
    hub("request", "restore", request_id)
    assert request_id in hub("request", "list").stdout


def test_import_from_standard_input_and_what_cannot_be_read(hub: Call, tmp_path: Path) -> None:
    hub("request", "import", "-", given="curl https://one.example/a")
    refused = hub("request", "import", "-", given="nothing that is known", code=1)
    assert refused.stderr.startswith("hub: ")
    assert len(refused.stderr.splitlines()) == 1
    hub("request", "import", "-", "--kind", "fax", given="x", code=1)


def test_names_that_mean_nothing_or_too_much(hub: Call) -> None:
    for _time in range(2):
        hub("request", "import", "-", given="curl https://one.example/a")
    ids = [words(line)[0] for line in hub("request", "list").stdout.splitlines()]
    name = json.loads(hub("request", "show", ids[0]).stdout)["name"]
    many = hub("request", "run", name, code=1)
    assert all(request_id in many.stderr for request_id in ids)
    for arguments in (("request", "run", "None"), ("request", "export", "None"), ("chain", "run", "None")):
        assert "There is no" in hub(*arguments, code=1).stderr
    assert "There is no environment" in hub("request", "run", ids[0], "--environment", "None", code=1).stderr


def test_a_run_that_is_refused_and_one_that_fails_its_assertion(hub: Call, echo: EchoServer, own_app: Flask) -> None:
    hub("request", "import", "-", given="curl http://169.254.169.254/latest")
    refused = hub("request", "run", words(hub("request", "list").stdout)[0], "--json", code=1)
    assert json.loads(refused.stdout)["code"] == "address-never"
    from hub.cli.actor import choose_user
    from hub.contracts.actor import Actor
    from hub.contracts.http import Assertion, RequestDefinition, RequestDraft
    from hub.http_builder.services import create_request

    with own_app.app_context():
        definition = RequestDefinition(url=f"http://127.0.0.1:{echo.port}/", assertions=(Assertion(expected="404"),))
        create_request(Actor(user_id=choose_user(None).id), RequestDraft(name="Gone", definition=definition))
    assert "FAIL" in hub("request", "run", "Gone", code=3).stderr


def test_environments_give_values_and_keep_secrets(hub: Call, echo: EchoServer) -> None:
    hub("environment", "add", "Staging")
    hub("environment", "add", "Live")
    hub("environment", "set", "PLACE", "staging", "--in", "Staging")
    hub("environment", "set", "PLACE", "live", "--in", "Live")
    hub("environment", "set", "PLACE", "real", "--in", "Live")
    hub("environment", "secret", "TOKEN", "--host", f"127.0.0.1:{echo.port}", given=f"{KEY}\n")
    listed = hub("environment", "list").stdout
    assert f"TOKEN  (secret, for 127.0.0.1:{echo.port})" in listed
    assert "* Staging" in listed
    url = f"http://127.0.0.1:{echo.port}/{{{{PLACE}}}}"
    hub("request", "import", "-", given=f"curl '{url}' -H 'X-Own: {{{{TOKEN}}}}'")
    request_id = words(hub("request", "list").stdout)[0]
    hub("request", "run", request_id)
    hub("request", "run", request_id, "--environment", "Live")
    hub("environment", "use", "Live")
    hub("request", "run", request_id)
    assert [received.target for received in echo.received] == ["/staging", "/real", "/real"]
    assert dict(echo.received[0].headers)["X-Own"] == KEY
    hub("environment", "use")
    assert "PLACE" in json.loads(hub("request", "run", request_id, "--json", code=1).stdout)["detail"]
    assert "is no host" in hub("environment", "secret", "OTHER", "--host", "http://x/", given="v", code=1).stderr


def test_a_chain_runs_here_until_a_request_fails(hub: Call, echo: EchoServer, own_app: Flask) -> None:
    from hub.cli.actor import choose_user
    from hub.contracts.actor import Actor
    from hub.http_builder.running.chains import save_chain

    for place in ("one", "two"):
        hub("request", "import", "-", given=f"curl http://127.0.0.1:{echo.port}/{place}")
    hub("request", "import", "-", given="curl http://169.254.169.254/")
    ids = [words(line)[0] for line in hub("request", "list").stdout.splitlines()][::-1]
    with own_app.app_context():
        actor = Actor(user_id=choose_user(None).id)
        save_chain(actor, None, "Good", ids[:2])
        save_chain(actor, None, "Bad", [ids[0], ids[2], ids[1]])
    assert hub("chain", "run", "Good").stdout.splitlines()[-1] == "Done"
    stopped = hub("chain", "run", "Bad", code=1).stdout.splitlines()
    assert [words(line)[0] for line in stopped[:3]] == ["Answered", "Not", "Canceled"]
    assert [received.target for received in echo.received] == ["/one", "/two", "/one"]
    assert "Good" in hub("chain", "list").stdout
