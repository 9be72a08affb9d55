"""Secrets never stay in a payload, and what is no secret stays as it is."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from hub.redaction import TOKEN, find_secrets, find_secrets_of_part, is_secret_name, mask_personal, redact, redact_text

# Built from parts, so that no scanner takes this file for a leak.
OPENAI_KEY = "sk-" + "proj-" + "Ab3" * 12
GITHUB_KEY = "ghp_" + "a1B2" * 9
JWT = ".".join(("eyJ" + "hbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0In0", "c2lnbmF0dXJl"))


@pytest.mark.parametrize(
    "name",
    ["Authorization", "X-Api-Key", "apiKey", "api_key", "password", "client_secret", "resumeToken", "Set-Cookie", "x-acme-token"],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["authentication", "genericAuthType", "tokenType", "nextPageToken", "keyboard", "maxTokens", "author", "passengerName"],
)
def test_names_that_only_look_secret(name: str) -> None:
    assert not is_secret_name(name)


def test_a_value_under_a_secret_name_is_replaced_everywhere() -> None:
    payload = {
        "headers": {"x-api-key": "abc-12345-xyz"},
        "message": "key abc-12345-xyz refused",
        "url": "https://a.example/?k=abc-12345-xyz",
    }
    result = redact(payload)
    assert "abc-12345-xyz" not in json.dumps(result.value)
    assert result.value["message"] == "key <SECRET_1> refused"
    assert result.count == 3


def test_equal_values_get_equal_tokens_and_others_do_not() -> None:
    value = redact([{"token": "first-value"}, {"token": "second-value"}, {"password": "first-value"}]).value
    assert value == [{"token": "<SECRET_1>"}, {"token": "<SECRET_2>"}, {"password": "<SECRET_1>"}]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("https://api.example/v1?api_key=QWERTY99&x=1", "QWERTY99"),
        ("postgres://user:hunter22@db.example/x", "hunter22"),
        ('401 - "{\\"token\\": \\"t0k-abcdef\\"}"', "t0k-abcdef"),
        ("const apiKey = 'k-998877';", "k-998877"),
        ("headers: { 'X-Api-Key': \"zz-445566\" }", "zz-445566"),
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA=="),
        (f"the key {OPENAI_KEY} is wrong", OPENAI_KEY),
        (f"clone with {GITHUB_KEY}", GITHUB_KEY),
        (f"jwt {JWT} expired", JWT),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "abc\n"),
    ],
)
def test_secrets_inside_texts(text: str, secret: str) -> None:
    result = redact_text(text)
    assert secret not in result.value
    assert "<SECRET_" in result.value


def test_name_and_value_pairs() -> None:
    parameters = {
        "headerParameters": {
            "parameters": [{"name": "X-Api-Key", "value": "=inline-secret"}, {"name": "X-Customer", "value": "acme"}]
        }
    }
    pairs = redact(parameters).value["headerParameters"]["parameters"]
    assert pairs == [{"name": "X-Api-Key", "value": "=<SECRET_1>"}, {"name": "X-Customer", "value": "acme"}]


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": "=Bearer {{ $json.token }}"},
        {"url": "=https://a.example/?token={{ $json.token }}"},
        {"password": True, "token": "", "secret": "abc", "cookie": None},
        {"authentication": "none", "genericAuthType": "httpHeaderAuth"},
        {"credentials": {"apiKeyAuth": {"id": "Xy12345678", "name": "Shop account"}}},
        {"x-api-key": "**hidden**"},
        {"errors": {"password": "required", "token": "expired"}},
        {"runData": {"Refresh token": [{"executionTime": 3, "data": {"main": [[{"json": {"city": "Oslo"}}]]}}]}},
        {"bodyParameters": {"parameters": [{"name": "key", "value": "title"}]}},
        {"text": "sort the task-list by key: 'value'"},
    ],
)
def test_what_is_no_secret_stays(payload: Any) -> None:
    assert redact(payload).value == payload


def test_known_values_are_taken_out_wherever_they_stand() -> None:
    result = redact(
        {"note": "call with plain-known-value please", "encoded": "a=plain%20known"},
        known_secrets=["plain-known-value", "plain known"],
    )
    assert result.value == {"note": "call with <SECRET_1> please", "encoded": "a=<SECRET_2>"}


def test_a_short_value_is_replaced_as_a_whole_word_only() -> None:
    assert redact({"pin": "abcd", "text": "abcdef abcd"}).value == {"pin": "<SECRET_1>", "text": "abcdef <SECRET_1>"}


def test_redaction_twice_changes_nothing_and_new_tokens_do_not_clash() -> None:
    once = redact({"token": "some-value-1"}).value
    assert redact(once).value == once
    assert redact({**once, "password": "other-value"}).value["password"] == "<SECRET_2>"


def test_numbers_under_secret_names() -> None:
    assert redact({"password": 12345678, "tokens": 12345678}).value == {"password": "<SECRET_1>", "tokens": "<SECRET_1>"}


def test_the_input_is_not_changed() -> None:
    payload = {"token": "some-value-1", "list": [1, {"a": "some-value-1"}]}
    before = json.dumps(payload)
    redact(payload)
    assert json.dumps(payload) == before


def test_secrets_of_a_whole_are_taken_out_of_its_parts() -> None:
    secrets = find_secrets({"headers": {"cookie": "sid=abcdef"}, "message": "bad sid=abcdef"})
    assert len(secrets) == 2  # the header, and the session in it
    assert secrets.remove_from("bad sid=abcdef").value == "bad <SECRET_1>"


def test_thousands_of_secrets_share_one_pattern() -> None:
    items = [{"token": f"value-{number:06d}", "text": f"see value-{number:06d}."} for number in range(3000)]
    value = redact(items).value
    assert "value-" not in json.dumps(value)
    assert value[7]["text"] == f"see {value[7]['token']}."


def test_nothing_planted_survives_in_real_executions(shared: Path) -> None:
    files = sorted((shared / "n8n-samples").glob("[0-9]*.json"))
    assert len(files) >= 100
    for file in files:
        payload = json.loads(file.read_text())
        text = json.dumps(redact(payload).value)
        execution = payload.get("execution", payload)
        resume = (execution.get("data") or {}).get("resumeToken")
        planted = [entry for entry in ("INLINESECRET", "QSECRET", resume) if entry and len(entry) > 3]
        assert [entry for entry in planted if entry in text] == [], file.name


def test_a_secret_spelled_like_a_key_of_n8ns_format_leaves_the_format_readable() -> None:
    payload = {"data": {"resultData": {"error": {"message": "data of resultData"}}}, "password": "data", "token": "resultData"}
    assert redact(payload).value == {
        "data": {"resultData": {"error": {"message": "<SECRET_1> of <SECRET_2>"}}},
        "password": "<SECRET_1>",
        "token": "<SECRET_2>",
    }
    assert list(find_secrets(payload).remove_from({"resultDatas": 1}, keys=["resultDatas"]).value) == ["resultDatas"]


@pytest.mark.parametrize(
    "text",
    [
        "7f1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",  # a UUID
        "nPj0CM6CqZpoSXdb",  # an id of n8n
        "d41d8cd98f00b204e9800998ecf8427e",  # an MD5
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # a SHA-256
        "VXNlcjoxMjM0NTY3",  # Base64 of an id
        "VGhpcyBpcyBwbGFpbiB0ZXh0IGluIEJhc2U2NA==",  # Base64 of readable text
        "تعذّر إرسال الطلب رقم ١٢٣٤ إلى المتجر لأن الخدمة لا تجيب",
        "https://docs.google.com/spreadsheets/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgVE2upms/edit#gid=0",
        "n8n-nodes-base.httpRequestToolWithAVeryLongNameIndeed2",
        "sha384-A3rJD856KowSb7dwlZdYEkO39Gagi7vIsF0jrRAoQmDKKtQBHUuLZ9AsSv4jD4Xa",
        "Unexpected token: expected a value",
        "The key is missing in the input",
        "const token = items[0].json.token; return token;",
        "2026-11-23T01:36:15.071+03:00",
    ],
)
def test_readable_texts_and_identifiers_stay(text: str) -> None:
    assert redact({"note": text, "lines": [text]}).value == {"note": text, "lines": [text]}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("PASSWORD=hunter22\nHOST=db", "hunter22"),
        ("Server=db;User Id=sa;Password=hunter;", "hunter"),
        ("The password is hunter22.", "hunter22"),
        ("X-Api-Key: a1b2c3d4e5", "a1b2c3d4e5"),
        ("Authorization: SSWS a1b2c3d4e5f6", "a1b2c3d4e5f6"),
        ("Cookie: theme=dark; sid=abcdefgh1234", "abcdefgh1234"),
        ("line\\nsk-" + "a1B2" * 10, "a1B2" * 10),
        ("https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.example/1", "0123456789abcdef0123456789abcdef"),
        ('{"pin": 4711}', "4711"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE cut off", "b3BlbnNzaC1rZXktdjE"),
        ("call https://api.telegram.org/bot123456789:AA" + "x1Y2z" * 7 + "/getMe", "x1Y2z" * 7),
        ("it was 9f8GkQ2mZr7LxB4vN1cTy6WsHd3PjKe5RaUiOo", "9f8GkQ2mZr7LxB4vN1cTy6WsHd3PjKe5RaUiOo"),
    ],
)
def test_more_secrets_inside_texts(text: str, secret: str) -> None:
    assert secret not in redact_text(text).value


def test_a_named_value_is_replaced_in_every_spelling() -> None:
    password = 'p+ss/w"rd 99'
    told = base64.b64encode(f"shop:{password}".encode()).decode()
    texts = [quote(password), quote(password, safe=""), quote_plus(password), json.dumps(json.dumps(password)), told]
    value = redact({"password": password, "texts": texts}).value
    assert value["password"] == "<SECRET_1>"
    assert [text for text, clean in zip(texts, value["texts"], strict=True) if "<SECRET_" not in clean] == []


def test_more_values_than_are_searched_for_are_still_replaced_in_their_fields() -> None:
    value = redact([{"token": f"value-{number:06d}"} for number in range(6000)]).value
    assert "value-" not in json.dumps(value)


def test_a_part_is_cleaned_of_what_the_rest_names() -> None:
    whole = {"error": "refused: abc-12345-xyz", "items": [{"apiKey": "abc-12345-xyz"}, {"password": "nowhere-else-1"}]}
    secrets = find_secrets_of_part(whole["error"], whole)
    assert len(secrets) == 1
    assert secrets.remove_from(whole["error"]).value == "refused: <SECRET_1>"


def test_personal_data_is_masked_by_kind() -> None:
    masked = mask_personal(
        {
            "to": ["sara@shop.example", "Ali <ali@shop.example>", "sara@shop.example"],
            "mobile": 966501234567,
            "text": "Call 0501234567 or +1 (555) 010-9999 from 203.0.113.9 or 2001:db8::1; card 4111-1111-1111-1111",
            "stays": "order 20261123, 2026-11-23 10:00, v1.2.3.4, 127.0.0.1, 1795362885547, 12:30:45",
        }
    )
    assert masked.value == {
        "to": ["<EMAIL_1>", "Ali <<EMAIL_2>>", "<EMAIL_1>"],
        "mobile": "<PHONE_1>",
        "text": "Call <PHONE_2> or <PHONE_3> from <IP_1> or <IP_2>; card <CARD_1>",
        "stays": "order 20261123, 2026-11-23 10:00, v1.2.3.4, 127.0.0.1, 1795362885547, 12:30:45",
    }
    assert masked.restore("<EMAIL_1>, <PHONE_2>") == "sara@shop.example, 0501234567"
    assert all(TOKEN.fullmatch(token) for token in masked.originals)
