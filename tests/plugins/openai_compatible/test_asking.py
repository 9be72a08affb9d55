"""Every way in which a server of the Chat Completions API answers, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.plugin_api import Evidence, ModelReply
from plugins.analyzers.openai_compatible import client
from plugins.analyzers.openai_compatible.analyzer import OpenAiCompatibleAnalyzer
from tests.plugins.openai_compatible.scripted import GOOD, Listener, ScriptedServer, answer, completion

Serve = Callable[..., ScriptedServer]
FENCED = f"Here you are:\n```json\n{json.dumps(GOOD)}\n```\nGood luck!"


@pytest.fixture
def ask(analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence) -> Callable[[], ModelReply]:
    return lambda: analyzer.ask(analyzer.prepare(evidence), Listener())


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(GOOD),
        FENCED,
        f"<think>Is it {{a}}? {{'b': 1}}</think>{json.dumps(GOOD)}",
        f"a thought without a beginning {{}} </think>\n{json.dumps(GOOD)}",
        f"The answer is {json.dumps(GOOD)} and I am sure.",
        json.dumps({**GOOD, "confidence": "0.9", "node": None, "extra": [1]}),
        json.dumps({**GOOD, "cause": "Not_Found", "evidence": GOOD["evidence"] * 30, "explanation_en": "x" * 9000}),
        json.dumps({"cause": "not-found", "explanation_en": "Short.", "confidence": 1000000}),
        json.dumps(GOOD).replace("0.9", "NaN"),
    ],
    ids=["plain", "fenced", "thought", "half-thought", "words", "loose-types", "too-much", "little", "nan"],
)
def test_an_answer_is_found_in_what_surrounds_it(serve: Serve, ask: Callable[[], ModelReply], content: str) -> None:
    server = serve(completion(content))
    reply = ask()
    assert (reply.content, reply.failure, server.asked) == (content, None, 1)
    assert (reply.tokens_in, reply.tokens_out) == (1000, 200)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (completion(None), "empty"),
        (completion(""), "empty"),
        (completion("  ", reasoning="I think…"), "empty"),
        (completion(None, refusal="I can't help with that."), "refused"),
        (completion('{"evidence": [', reason="length"), "cut-off"),
        (completion(GOOD, reason="content_filter"), "filtered"),
        (answer(200, {"object": "chat.completion", "choices": None}), "strange"),
        (answer(200, {"object": "chat.completion", "choices": []}), "strange"),
        (answer(200, b"<html>Sign in</html>", content_type="text/html"), "strange"),
        (answer(200, b"{" * 16_000), "strange"),
        (answer(401), "wrong-key"),
        (answer(403), "forbidden"),
        (answer(404), "not-found"),
        (answer(413), "too-long"),
        (answer(400, {"error": {"message": "json_schema is not supported"}}), "bad-request"),
        (answer(422, b"no json"), "bad-request"),
        (answer(307, location="https://elsewhere.example"), "redirect"),
        ("dns", "dns"),
        ("tls", "tls"),
        ("connect", "connect"),
        ("address-refused", "address-refused"),
        ("too-large", "too-large"),
        ("timeout", "timeout"),
    ],
)
def test_no_answer_has_a_reason_and_is_asked_for_once(
    serve: Serve, ask: Callable[[], ModelReply], pauses: list[float], reply: Any, code: str
) -> None:
    server = serve(reply)
    got = ask()
    assert got.failure is not None
    assert (got.content, got.failure.code, server.asked, pauses) == (None, code, 1, [])
    assert got.failure.words.en != got.failure.words.ar


def test_a_blocked_address_says_what_to_do(serve: Serve, ask: Callable[[], ModelReply]) -> None:
    serve("address-refused")
    failure = ask().failure
    assert failure is not None
    assert "HUB_ALLOWED_ADDRESSES" in failure.words.en
    assert "HUB_ALLOWED_ADDRESSES" in failure.words.ar


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_once_more(
    serve: Serve, ask: Callable[[], ModelReply], pauses: list[float], status: int
) -> None:
    server = serve(answer(status), completion(GOOD))
    assert ask().content is not None
    assert (server.asked, pauses) == (2, [1.0])
    server = serve(answer(status))
    assert ask().failure is not None
    assert server.asked == 2


def test_a_cut_connection_is_tried_once_more(serve: Serve, ask: Callable[[], ModelReply]) -> None:
    server = serve("reset", completion(GOOD))
    assert ask().content is not None
    assert server.asked == 2


@pytest.mark.parametrize(
    ("seconds", "waited"), [("0.01", [0.01]), ("7", [7.0]), ("86400", []), ("inf", []), ("Wed, 21 Oct 2099 07:28:00 GMT", [])]
)
def test_a_server_decides_about_the_pause_but_not_for_long(
    serve: Serve, ask: Callable[[], ModelReply], pauses: list[float], seconds: str, waited: list[float]
) -> None:
    server = serve(answer(429, retry_after=seconds), completion(GOOD))
    reply = ask()
    assert pauses == waited
    assert server.asked == 1 + len(waited)
    assert (reply.failure is None) == bool(waited)


def test_one_deadline_holds_for_everything(
    serve: Serve, ask: Callable[[], ModelReply], monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]
) -> None:
    """Each look at the clock takes thirty seconds: the ninety of the settings leave no room for the second round."""
    seconds = iter(range(0, 100_000, 30))
    monkeypatch.setattr(client, "monotonic", lambda: float(next(seconds)))
    server = serve(completion("no json"))
    reply = ask()
    assert reply.failure is not None
    assert reply.failure.code == "timeout"
    assert server.asked == 1


def test_an_unreadable_answer_may_be_written_again_once(
    serve: Serve, analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence
) -> None:
    bad = json.dumps({**GOOD, "cause": "gremlins", "confidence": "very"})
    server, listener = serve(completion(bad), completion(GOOD)), Listener()
    reply = analyzer.ask(analyzer.prepare(evidence), listener)
    assert (json.loads(reply.content or ""), reply.tokens_in, reply.tokens_out) == (GOOD, 2000, 400)
    assert listener.stages == ["waiting", "asking-again"]
    assert listener.bodies == [body.decode() for body in server.bodies]
    again = server.sent[1]["messages"]
    assert again[2] == {"role": "assistant", "content": bad}
    assert "cause: Input should be" in again[3]["content"]
    assert "confidence: " in again[3]["content"]


@pytest.mark.parametrize(
    "garbage", ["no json at all", "{" * 16_000, '{"a":' * 4000, "[]", '"text"', "null", "{}", '{"cause": null}', "x" * 16_000]
)
def test_garbage_ends_after_the_second_round(serve: Serve, ask: Callable[[], ModelReply], garbage: str) -> None:
    server = serve(completion(garbage))
    reply = ask()
    assert reply.failure is not None
    assert (reply.content, reply.failure.code, server.asked) == (None, "unreadable", 2)
    assert len(server.bodies[1]) < len(server.bodies[0]) + 8000


def test_the_request_is_what_the_settings_say(
    serve: Serve, ask: Callable[[], ModelReply], values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "from-the-environment")
    values |= {"max_tokens_parameter": "max_tokens", "temperature": 0.0, "extra_body": '{"reasoning_effort": "none"}'}
    server = serve(completion(GOOD))
    ask()
    request = server.sent[0]
    form = request.pop("response_format")
    messages = request.pop("messages")
    assert request == {"model": "m", "max_tokens": 3000, "temperature": 0.0, "reasoning_effort": "none"}
    assert [message["role"] for message in messages] == ["system", "user"]
    assert form["json_schema"]["strict"] is True
    assert server.headers[0].pop("authorization") == "Bearer sk-operators-own-key"
    assert "from-the-environment" not in json.dumps(server.headers)
    assert set(server.headers[0]) <= {"content-type", "accept"}


def test_a_server_without_a_key_gets_none(serve: Serve, ask: Callable[[], ModelReply], values: dict[str, Any]) -> None:
    values["api_key"] = None
    server = serve(completion(GOOD))
    ask()
    assert "authorization" not in server.headers[0]


@pytest.mark.parametrize(("mode", "form"), [("object", {"type": "json_object"}), ("none", None)])
def test_weaker_forms_get_the_schema_in_words(
    serve: Serve, ask: Callable[[], ModelReply], values: dict[str, Any], mode: str, form: Any
) -> None:
    values |= {"json_mode": mode, "max_tokens_parameter": "none"}
    server = serve(completion(GOOD))
    ask()
    assert server.sent[0].get("response_format") == form
    assert "additionalProperties" in server.sent[0]["messages"][0]["content"]
    assert "max_tokens" not in server.sent[0]


def test_the_schema_stays_in_the_strict_subset(serve: Serve, ask: Callable[[], ModelReply], values: dict[str, Any]) -> None:
    def walk(part: Any) -> Any:
        if isinstance(part, dict):
            yield part
            for value in part.values():
                yield from walk(value)
        elif isinstance(part, list):
            for value in part:
                yield from walk(value)

    server = serve(completion(GOOD))
    ask()
    values["base_url"] = "https://x.openai.azure.com/openai/v1"
    ask()
    bounded, plain = (sent["response_format"]["json_schema"]["schema"] for sent in server.sent)
    for schema in (bounded, plain):
        objects = [part for part in walk(schema) if part.get("type") == "object"]
        assert len(objects) == 3
        assert all(list(part["properties"]) == part["required"] and part["additionalProperties"] is False for part in objects)
        text = json.dumps(schema)
        assert not any(word in text for word in ("$ref", "$defs", "allOf", "oneOf", "default", '"title":'))
        assert next(iter(schema["properties"])) == "evidence"
        assert list(schema["properties"])[-1] == "confidence"
        assert schema["properties"]["edits"]["maxItems"] == 6
    assert "maxLength" in json.dumps(bounded)
    assert "maxLength" not in json.dumps(plain)


def test_costs_follow_the_price_list(serve: Serve, ask: Callable[[], ModelReply], values: dict[str, Any]) -> None:
    serve(completion(GOOD))
    assert ask().cost is None
    values |= {"price_in": 2.5, "price_out": 10}
    assert ask().cost == pytest.approx((1000 * 2.5 + 200 * 10) / 1e6)
    serve(completion(GOOD, tokens=None))
    uncounted = ask()
    assert (uncounted.tokens_in, uncounted.cost) == (None, None)
