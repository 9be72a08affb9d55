"""Signatures, held against the specification and against the code that people are given for their receivers."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest

from hub.config import ROOT
from hub.webhooks import snippets
from hub.webhooks.signing import make_secret, signed_headers
from tests.hub.webhooks.specification import Refused, hmac_sha256, verify

BODY = '{"type":"ping","data":{"name":"متجر"}}'.encode()


def test_the_test_knows_hmac() -> None:
    """RFC 4231, test case 2."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == expected


def test_the_example_of_the_specification() -> None:
    """The one that its reference libraries are tested with."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = dict(signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, [secret]))
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    verify(secret, headers, body, now=1614265330)


def test_what_was_signed_is_verified_and_nothing_else() -> None:
    secret = make_secret()
    headers = dict(signed_headers("msg", 1000, BODY, [secret]))
    verify(secret, headers, BODY, now=1299)
    for wrong in (
        {**headers, "webhook-id": "other"},
        {**headers, "webhook-timestamp": "1001"},
        {**headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v2,")},
    ):
        with pytest.raises(Refused):
            verify(secret, wrong, BODY, now=1000)
    for again in ((make_secret(), BODY, 1000), (secret, BODY + b" ", 1000), (secret, BODY, 1301), (secret, BODY, 699)):
        with pytest.raises(Refused):
            verify(again[0], headers, again[1], now=again[2])


def test_two_secrets_while_one_is_changed() -> None:
    old, new = make_secret(), make_secret()
    headers = dict(signed_headers("msg", 1000, BODY, [new, old]))
    assert headers["webhook-signature"].count("v1,") == 2
    verify(old, headers, BODY, now=1000)
    verify(new, headers, BODY, now=1000)


def test_the_python_that_people_copy() -> None:
    names: dict[str, object] = {}
    exec(snippets.PYTHON, names)  # what is shown is what is tried
    check, secret, now = names["verify"], make_secret(), int(time.time())
    assert callable(check)
    headers = dict(signed_headers("msg", now, BODY, [make_secret(), secret]))
    assert check(secret, headers, BODY)
    assert not check(make_secret(), headers, BODY)
    assert not check(secret, headers, BODY + b" ")
    assert not check(secret, dict(signed_headers("msg", now - 301, BODY, [secret])), BODY)


def test_the_documentation_shows_the_same() -> None:
    page = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    assert [name for name, code in snippets.SNIPPETS if code not in page] == []


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here")
@pytest.mark.parametrize("language", ["JavaScript", "n8n"])
def test_the_javascript_that_people_copy(language: str) -> None:
    secret, now = make_secret(), int(time.time())
    results = []
    for key, age in ((secret, 0), (make_secret(), 0), (secret, 301)):
        headers = dict(signed_headers("msg", now - age, BODY, [make_secret(), key]))
        text = BODY.decode()
        if language == "n8n":
            code = snippets.N8N.replace("whsec_...", secret)
            world = f"const $input = {{first: () => ({{json: {{headers: {headers}}}}})}};\n"
            bound = f"{{helpers: {{getBinaryDataBuffer: async () => Buffer.from({text!r})}}}}"
            script = (
                f"{world}(async function () {{ {code} }}).call({bound}).then(() => console.log(true), () => console.log(false))"
            )
        else:
            script = f"{snippets.JAVASCRIPT}\nconsole.log(verify({secret!r}, {headers}, {text!r}))"
        done = subprocess.run(["node", "-"], input=script, capture_output=True, text=True, timeout=60, check=True)
        results.append(done.stdout.strip())
    assert results == ["true", "false", "false"]
