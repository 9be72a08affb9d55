"""Signatures against published examples, and against other implementations as oracles."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac

import pytest
import requests
from requests.auth import HTTPDigestAuth
from requests_aws4auth import AWS4Auth

from hub.contracts.exchange import Exchange, ExchangeLimits, Hop, Timing, WireRequest
from hub.contracts.http import AwsSigV4Auth, DigestAuth, HmacAuth, Pair, RawBody, RequestDefinition
from hub.http_builder.rendering import Prepared, RenderError, Value, Values, authenticate, prepare, preview
from hub.http_builder.rendering.aws import dated_headers, sign
from hub.http_builder.rendering.digest import Challenge, answer, read_challenge

KEY = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "region": "us-east-1"}
S3_KEY = {
    "access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "region": "us-east-1",
    "service": "s3",
}
EMPTY = hashlib.sha256(b"").hexdigest()


def signature_of(authorization: str) -> str:
    return authorization.rpartition("Signature=")[2]


def test_aws_example_of_the_general_reference() -> None:
    """The ListUsers request of "Signature Version 4 signing process"."""
    url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"
    headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), ("X-Amz-Date", "20150830T123600Z")]
    signed = sign("GET", url, headers, b"", service="iam", **KEY)
    assert hashlib.sha256(signed.canonical_request.encode()).hexdigest() == (
        "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    )
    assert signature_of(signed.authorization) == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"


def test_aws_test_suite_get_vanilla() -> None:
    signed = sign("GET", "https://example.amazonaws.com/", [("X-Amz-Date", "20150830T123600Z")], b"", service="service", **KEY)
    assert signature_of(signed.authorization) == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"


@pytest.mark.parametrize(
    ("url", "extra", "signature"),
    [
        (
            "https://examplebucket.s3.amazonaws.com/test.txt",
            [("Range", "bytes=0-9")],
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "https://examplebucket.s3.amazonaws.com/?lifecycle",
            [],
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
            [],
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_aws_s3_examples(url: str, extra: list[tuple[str, str]], signature: str) -> None:
    """The examples of "Signature calculations for the Authorization header" of S3."""
    headers = [*extra, ("X-Amz-Content-Sha256", EMPTY), ("X-Amz-Date", "20130524T000000Z")]
    assert signature_of(sign("GET", url, headers, b"", **S3_KEY).authorization) == signature


def test_aws_s3_example_of_an_upload() -> None:
    body = b"Welcome to Amazon S3."
    headers = [
        ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("X-Amz-Date", "20130524T000000Z"),
        ("X-Amz-Storage-Class", "REDUCED_REDUNDANCY"),
        ("X-Amz-Content-Sha256", hashlib.sha256(body).hexdigest()),
    ]
    signed = sign("PUT", "https://examplebucket.s3.amazonaws.com/test%24file.text", headers, body, **S3_KEY)
    assert signature_of(signed.authorization) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"


@pytest.mark.parametrize(
    "url",
    [
        "https://search.eu-west-1.es.amazonaws.com/index/_search?q=a+b&z=1&a=%C3%A9",
        "https://example.amazonaws.com/a%20b/c",
        "https://example.amazonaws.com:8443/",
    ],
)
def test_aws_agrees_with_requests_aws4auth(url: str) -> None:
    moment = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
    body = b'{"a": 1}'
    headers = [("Content-Type", "application/json"), *dated_headers(body, moment, "a-session-token")]
    theirs = requests.Request("POST", url, headers=dict(headers), data=body).prepare()
    AWS4Auth("AKIDEXAMPLE", KEY["secret_access_key"], "us-east-1", "es", "20261101", session_token="a-session-token")(theirs)
    ours = sign("POST", url, headers, body, service="es", **KEY)
    assert ours.authorization == theirs.headers["Authorization"]


@pytest.mark.parametrize(
    ("path", "service", "canonical"),
    [
        ("/model/claude-v2:1/invoke", "bedrock", "/model/claude-v2%253A1/invoke"),
        ("/model/claude-v2%3A1/invoke", "bedrock", "/model/claude-v2%253A1/invoke"),
        ("/a%2Fb/c%20d/", "es", "/a%252Fb/c%2520d/"),
        ("/a/./b//../c", "es", "/a/c"),
        ("", "es", "/"),
        ("/a%2Fb//c:d/./e", "s3", "/a%2Fb//c%3Ad/./e"),
    ],
)
def test_aws_canonical_paths(path: str, service: str, canonical: str) -> None:
    url = f"https://x.amazonaws.com{path}"
    signed = sign("GET", url, [("X-Amz-Date", "20150830T123600Z")], b"", **{**KEY, "service": service})
    assert signed.canonical_request.split("\n")[1] == canonical


def test_aws_in_a_request() -> None:
    definition = RequestDefinition(
        url="https://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
        auth=AwsSigV4Auth(
            access_key_id="AKIDEXAMPLE",
            secret_access_key="{{AWS_SECRET}}",
            session_token="{{AWS_SESSION}}",
            region="us-east-1",
            service="sts",
        ),
    )
    values = Values(
        [
            Value("AWS_SECRET", KEY["secret_access_key"], True, ("sts.amazonaws.com",)),
            Value("AWS_SESSION", "session-token-value", True, ("sts.amazonaws.com",)),
        ]
    )
    prepared = prepare(definition, values, files={})
    headers = dict(prepared.wire.headers)
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "host;x-amz-content-sha256;x-amz-date;x-amz-security-token" in headers["Authorization"]
    shown = preview(prepared)
    assert shown.signed is not None
    assert shown.signed.startswith("GET\n/\nAction=GetCallerIdentity&Version=2011-06-15\nhost:sts.amazonaws.com\n")
    assert "x-amz-security-token:{{AWS_SESSION}}" in shown.signed
    assert "session-token-value" not in str(shown)


# --- Digest ----------------------------------------------------------------------------------------------------------

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CLIENT_NONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_example_of_rfc_7616(algorithm: str, response: str) -> None:
    challenge = Challenge("http-auth@example.org", NONCE, "auth", algorithm, "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")
    header, given = answer(
        challenge, "GET", "/dir/index.html", "Mufasa", "Circle of Life", client_nonce=CLIENT_NONCE
    )  # fmt: skip
    assert given == response
    assert f'response="{response}"' in header
    assert f"algorithm={algorithm}, qop=auth, nc=00000001" in header


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512", "MD5-SESS", None])
@pytest.mark.parametrize("qop", ["auth", None])
def test_digest_agrees_with_requests(algorithm: str | None, qop: str | None) -> None:
    oracle = HTTPDigestAuth("أحمد", "pass:word")
    oracle.init_per_thread_state()
    oracle._thread_local.chal = {"realm": "r", "nonce": "n", "qop": qop, "algorithm": algorithm}
    theirs = oracle.build_digest_header("POST", "https://example.com/a?b=1")
    assert theirs is not None
    fields = requests.utils.parse_dict_header(theirs.removeprefix("Digest "))
    challenge = Challenge("r", "n", qop or "", algorithm or "MD5", None)
    _header, response = answer(challenge, "POST", "/a?b=1", "أحمد", "pass:word", client_nonce=fields.get("cnonce") or "x")
    if (algorithm or "").endswith("SESS") and not qop:
        return  # requests draws a client nonce and does not send it, so nobody can check its answer
    assert response == fields["response"]


@pytest.mark.parametrize(
    ("header", "algorithm"),
    [
        ('Digest realm="a", nonce="n", qop="auth-int, auth", algorithm=SHA-256', "SHA-256"),
        ('Basic realm="a, Digest b", Digest realm="x", nonce="n", qop="auth"', "MD5"),
        ('Digest realm="x", nonce="n", algorithm=UNKNOWN, Digest realm="x", nonce="n", algorithm=MD5, Basic realm="y"', "MD5"),
        ('Digest realm="a", nonce="n", qop="auth-int"', None),
        ("Basic realm=a", None),
        ("Digest", None),
        ("Digest realm=, nonce", None),
    ],
)
def test_digest_reads_challenges(header: str, algorithm: str | None) -> None:
    challenge = read_challenge([("WWW-Authenticate", header)])
    assert (challenge.algorithm if challenge else None) == algorithm


def make_exchange(status: int, url: str, headers: tuple[tuple[str, str], ...] = (), method: str = "GET") -> Exchange:
    timing = Timing(total_ms=400.0)
    hop = Hop(method=method, url=url, status=status, reason="", address="127.0.0.1", timing=timing)
    return Exchange(status, "", "HTTP/1.1", headers, b"", 0, False, timing, (hop,), None)


class Server:
    """Answers 401 with a challenge until a request brings a response."""

    def __init__(self, landing: str | None = None) -> None:
        self.asked: list[tuple[WireRequest, ExchangeLimits]] = []
        self.landing = landing

    def __call__(self, wire: WireRequest, limits: ExchangeLimits) -> Exchange:
        self.asked.append((wire, limits))
        if any(name == "Authorization" for name, _value in wire.headers):
            return make_exchange(200, wire.url)
        challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256')
        return make_exchange(401, self.landing or wire.url, (challenge,))


def digest_request() -> tuple[RequestDefinition, Prepared]:
    definition = RequestDefinition(
        url="https://api.example.com/x?y=1", auth=DigestAuth(username='o"neil', password="{{PASSWORD}}")
    )
    values = Values([Value("PASSWORD", "opensesame", True, ("api.example.com",))])
    return definition, prepare(definition, values, files={})


def test_digest_is_answered_once_in_the_time_that_is_left() -> None:
    definition, prepared = digest_request()
    server = Server()
    wire, exchange = authenticate(definition.auth, prepared, server)
    assert exchange.status == 200
    assert [limits.seconds for _wire, limits in server.asked] == [30.0, pytest.approx(29.6)]
    header = dict(wire.headers)["Authorization"]
    assert 'username="o\\"neil"' in header
    assert 'uri="/x?y=1"' in header
    assert "opensesame" in wire.secrets


def test_digest_does_not_answer_another_origin() -> None:
    definition, prepared = digest_request()
    server = Server(landing="https://evil.example.com/x")
    _wire, exchange = authenticate(definition.auth, prepared, server)
    assert exchange.status == 401
    assert len(server.asked) == 1


def test_digest_answers_where_its_own_origin_led() -> None:
    definition, prepared = digest_request()
    wire, exchange = authenticate(definition.auth, prepared, Server(landing="https://api.example.com/other"))
    assert (exchange.status, wire.url) == (200, "https://api.example.com/other")
    assert 'uri="/other"' in dict(wire.headers)["Authorization"]


# --- HMAC ------------------------------------------------------------------------------------------------------------


def test_hmac_signs_what_the_preview_shows() -> None:
    definition = RequestDefinition(
        method="POST",
        url="https://api.example.com/orders?page=2",
        params=(Pair(name="q", value="a b"),),
        body=RawBody(text="hello {{WHO}}"),
        auth=HmacAuth(
            secret="{{SIGNING_SECRET}}",
            message="v0:{{$timestamp}}:{{$method}}:{{$path}}?{{$query}}:{{$body}}:{{WHO}}",
            header="X-Slack-Signature",
            prefix="v0=",
            timestamp_header="X-Slack-Request-Timestamp",
        ),
    )
    values = Values([Value("SIGNING_SECRET", "8f742231b10e", True, ("api.example.com",)), Value("WHO", "{{$body}}")])
    prepared = prepare(definition, values, files={})
    headers = dict(prepared.wire.headers)
    stamp = headers["X-Slack-Request-Timestamp"]
    message = f"v0:{stamp}:POST:/orders?page=2&q=a+b:hello {{{{$body}}}}:{{{{$body}}}}"
    assert preview(prepared).signed == message
    expected = hmac.new(b"8f742231b10e", message.encode(), "sha256").hexdigest()
    assert headers["X-Slack-Signature"] == f"v0={expected}"
    assert expected in prepared.wire.secrets


def test_hmac_in_base64_over_bytes() -> None:
    definition = RequestDefinition(
        method="POST",
        url="https://a.example",
        body=RawBody(text="é"),
        auth=HmacAuth(secret="k" * 8, algorithm="sha1", encoding="base64"),
    )
    expected = base64.b64encode(hmac.new(b"k" * 8, "é".encode(), "sha1").digest()).decode()
    assert dict(prepare(definition, Values(), files={}).wire.headers)["X-Signature"] == expected


def test_parts_of_the_request_are_known_in_the_message_only() -> None:
    definition = RequestDefinition(url="https://a.example", headers=(Pair(name="X-Body", value="{{$body}}"),))
    with pytest.raises(RenderError) as raised:
        prepare(definition, Values(), files={})
    assert [(problem.place, problem.code) for problem in raised.value.problems] == [("headers.0.value", "unresolved")]
