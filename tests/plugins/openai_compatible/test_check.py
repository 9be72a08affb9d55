"""The connection test finds what is wrong before a real question does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from hub.plugin_api import CheckReport
from plugins.analyzers.openai_compatible.check import check_connection
from tests.plugins.openai_compatible.scripted import ScriptedServer, answer, completion

Serve = Callable[..., ScriptedServer]


class Echoing(ScriptedServer):
    """A server that reads the code at the beginning, of as much of the question as it takes, in the forms that it knows."""

    def __init__(self, *, context: int = 10**6, forms: tuple[str, ...] = ("json_schema", "json_object", "none")) -> None:
        super().__init__("")
        self.context, self.forms = context, forms

    def fetch(self, method: str, url: str, **options: Any) -> Any:
        if method == "POST":
            request = json.loads(options["content"])
            form = (request.get("response_format") or {"type": "none"})["type"]
            text = "\n".join(message["content"] for message in request["messages"])[-self.context * 5 :]
            code = re.search(r"code of this record is (\w+)", text)
            said = {"code": code[1] if code else "unknown", "readable": True}
            refused = answer(400, {"error": {"message": f"{form} is not supported"}})
            self.replies = [completion(said, tokens=(len(text) // 5, 20)) if form in self.forms else refused]
        return super().fetch(method, url, **options)


@pytest.fixture
def check(serve: Serve, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]) -> Callable[[ScriptedServer], CheckReport]:
    def run(server: ScriptedServer) -> CheckReport:
        monkeypatch.setattr("plugins.analyzers.openai_compatible.client.fetch", server.fetch)
        return check_connection(values)

    return run


def states(report: CheckReport) -> list[str]:
    return [line.state for line in report.lines]


def words(report: CheckReport) -> str:
    assert all(re.search("[\u0600-\u06ff]", line.text.ar) for line in report.lines)
    return "\n".join(line.text.en for line in report.lines)


def test_a_good_server_passes_with_time_and_tokens(check: Callable[..., CheckReport], values: dict[str, Any]) -> None:
    values |= {"price_in": 1, "price_out": 1}
    server = Echoing()
    report = check(server)
    assert (report.ok, states(report), server.asked) == (True, ["good", "info"], 1)
    assert "It took" in words(report)
    assert re.search(r"used [\d,]{5,} tokens sent and 20 received \(0\.00\d+\)", words(report))
    assert 3 * 8000 < len(server.bodies[0]) < 3 * 11_000


def test_it_says_which_form_works(check: Callable[..., CheckReport], values: dict[str, Any]) -> None:
    server = Echoing(forms=("json_object", "none"))
    report = check(server)
    assert (report.ok, server.asked) == (False, 2)
    assert "Choose “JSON object”" in words(report)
    values["json_mode"] = "object"
    assert check(Echoing(forms=("json_object", "none"))).ok
    values["json_mode"] = "none"
    report = check(Echoing())
    assert report.ok
    assert "Choose “JSON schema”: it is stricter" in words(report)


def test_a_server_that_cuts_the_beginning_off_is_found(check: Callable[..., CheckReport]) -> None:
    report = check(Echoing(context=2000))
    assert (report.ok, states(report)[-1]) == (False, "bad")
    assert "OLLAMA_CONTEXT_LENGTH" in words(report)
    assert "(2,000 /" in words(report)


@pytest.mark.parametrize(
    ("reply", "said", "asked"),
    [
        (answer(401), "does not accept the API key", 1),
        (answer(404), "knows no such model", 1),
        (answer(503), "HTTP 503", 2),
        ("address-refused", "HUB_ALLOWED_ADDRESSES", 1),
        ("tls", "certificate", 1),
        ("timeout", "no answer in time", 1),
        (completion(None, refusal="no"), "refused to answer", 3),
        (completion("hello"), "no such JSON", 3),
        (completion(None), "reasoning_effort", 3),
    ],
)
def test_errors_are_said_clearly(check: Callable[..., CheckReport], reply: Any, said: str, asked: int) -> None:
    server = ScriptedServer(reply)
    report = check(server)
    assert not report.ok
    assert said in words(report)
    assert server.asked == asked


def test_a_model_that_is_not_listed_is_named(check: Callable[..., CheckReport], values: dict[str, Any]) -> None:
    values["model"] = "gpt-unknown"
    assert "It lists 1: m" in words(check(Echoing()))


def test_without_address_or_model_nothing_is_asked(check: Callable[..., CheckReport], values: dict[str, Any]) -> None:
    values["model"] = None
    server = Echoing()
    assert not check(server).ok
    assert server.asked == 0
