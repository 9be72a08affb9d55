from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale

from hub.egress import EgressError, describe_egress_error
from hub.egress.errors import _SENTENCES

DETAILS = {
    "host": "one.test",
    "hosts": "two.test, *.two.test",
    "port": 22,
    "address": "10.0.0.1",
    "name": "Connection",
    "encoding": "gzip",
    "seconds": 2.5,
    "limit": 5_000_000,
    "count": 100,
    "reason": "",
}
REASONS = {
    "bad-url": ["too-long", "characters", "scheme", "userinfo", "port", "ipv4", "ipv6", "host"],
    "address-refused": ["loopback", "private", "special"],
    "address-never": ["own", "metadata", "link-local"],
    "header-refused": ["framing", "proxy", "metadata", "host"],
    "connect": ["refused", "timeout", "no route to host"],
    "bad-answer": ["headers", "content-length", "chunks", "BadStatusLine"],
}
CASES = [(code, reason) for code in _SENTENCES for reason in REASONS.get(code, [""])]


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize(("code", "reason"), CASES)
def test_each_failure_has_words_in_both_languages(app: Flask, code: str, reason: str, language: str) -> None:
    details = {**DETAILS, "reason": reason}
    assert EgressError(code, **details).code == code
    with app.test_request_context(), force_locale(language):
        words = describe_egress_error(code, details)
    assert words
    assert words.endswith((".", ";"))
    assert "%(" not in words
    assert any("\u0600" < letter < "\u06ff" for letter in words) == (language == "ar")


def test_a_server_without_tls_is_told_from_a_bad_certificate(app: Flask) -> None:
    with app.test_request_context():
        words = [describe_egress_error("tls", {**DETAILS, "part": part}) for part in ("certificate", "handshake")]
    assert "HUB_CA_FILE" in str(words[0])
    assert "http://" in str(words[1])


def test_a_port_is_not_said_to_be_of_n8n(app: Flask) -> None:
    with app.test_request_context():
        assert "n8n" not in str(describe_egress_error("port-refused", DETAILS))
        assert "one.test:22" in str(describe_egress_error("port-refused", DETAILS))


def test_a_secret_without_hosts_has_words_of_its_own(app: Flask) -> None:
    with app.test_request_context():
        assert "bound to no host" in str(describe_egress_error("secret-host", {**DETAILS, "hosts": ""}))


def test_another_code_has_none(app: Flask) -> None:
    with app.test_request_context():
        assert describe_egress_error("unheard-of", {}) is None
