"""Secrets of more than sixty kinds, and the places of an execution where they can stand: for every test that nothing leaks.

All values are made up from a seed. They are built from parts, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]
Random = random.Random

_LETTERS, _DIGITS = string.ascii_letters, string.digits
_WORD = _LETTERS + _DIGITS


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of secret. ``field`` is the name under which it usually stands.

    ``has_form`` says that it is known by its form wherever it stands; other kinds need a name somewhere in the payload.
    """

    name: str
    field: str
    make: Callable[[Random], str]
    has_form: bool = True


def _any(letters: str, count: int) -> Callable[[Random], str]:
    """That many letters; both cases and digits are among them where they are in the alphabet."""

    def make(source: Random) -> str:
        must = [
            source.choice(group)
            for group in (string.ascii_lowercase, string.ascii_uppercase, _DIGITS)
            if set(group) <= set(letters)
        ]
        rest = must + [source.choice(letters) for _ in range(count - len(must))]
        source.shuffle(rest)
        return "".join(rest)

    return make


def _after(start: str, letters: str, count: int, end: str = "") -> Callable[[Random], str]:
    return lambda source: start + _any(letters, count)(source) + end


_HEX = "0123456789abcdef"
_URL_SAFE = _WORD + "-_"
_BASE64 = _WORD + "+/"


def _base64url(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _jwt(**claims: str) -> Callable[[Random], str]:
    return lambda source: ".".join(
        (
            _base64url({"alg": "HS256", "typ": "JWT"}),
            _base64url({"sub": str(source.random()), **claims}),
            _base64url(source.randbytes(32)),
        )
    )


def _pem(label: str) -> Callable[[Random], str]:
    def make(source: Random) -> str:
        body = base64.b64encode(source.randbytes(144)).decode()
        lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
        return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----"

    return make


def _url(scheme: str, host: str) -> Callable[[Random], str]:
    return lambda source: f"{scheme}://app:{_any(_WORD, 18)(source)}@{host}"


def _uuid(source: Random) -> str:
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


KINDS: tuple[Kind, ...] = (
    Kind("openai", "apiKey", _after("sk-" + "proj-", _URL_SAFE, 48)),
    Kind("openai-old", "apiKey", _after("sk" + "-", _WORD, 48)),
    Kind("anthropic", "x-api-key", _after("sk-" + "ant-api03-", _URL_SAFE, 90)),
    Kind("aws-key-id", "accessKeyId", _after("AK" + "IA", string.ascii_uppercase + _DIGITS, 16)),
    Kind("aws-secret", "secretAccessKey", _any(_BASE64, 40), has_form=False),
    Kind("aws-session-token", "sessionToken", _any(_BASE64, 300), has_form=False),
    Kind("gcp-private-key", "private_key", _pem("PRIVATE KEY")),
    Kind("gcp-key-id", "private_key_id", _any(_HEX, 40), has_form=False),
    Kind("github", "access_token", _after("gh" + "p_", _WORD, 36)),
    Kind("github-fine", "token", _after("github" + "_pat_", _WORD + "_", 82)),
    Kind("gitlab", "PRIVATE-TOKEN", _after("gl" + "pat-", _URL_SAFE, 20)),
    Kind("slack-bot", "botToken", _after("xox" + "b-", _DIGITS, 12, "-" + "aB3" * 8)),
    Kind("slack-user", "userToken", _after("xox" + "p-", _DIGITS, 12, "-" + "cD4" * 8)),
    Kind("slack-webhook", "webhookSecretPath", _after("services/T01ABCDEF/B01ABCDEF/", _WORD, 24), has_form=False),
    Kind("stripe-live", "stripeSecret", _after("sk" + "_live_", _WORD, 24)),
    Kind("stripe-test", "stripeSecret", _after("sk" + "_test_", _WORD, 24)),
    Kind("stripe-restricted", "stripeSecret", _after("rk" + "_live_", _WORD, 24)),
    Kind("stripe-webhook", "webhookSecret", _after("wh" + "sec_", _WORD, 32)),
    Kind("sendgrid", "apiKey", lambda source: ".".join(("SG", _any(_URL_SAFE, 22)(source), _any(_URL_SAFE, 43)(source)))),
    Kind("twilio-token", "authToken", _any(_HEX, 32), has_form=False),
    Kind("twilio-key", "apiKeySid", _after("S" + "K", _HEX, 32)),
    Kind("mailgun", "apiKey", _after("key" + "-", _HEX, 32)),
    Kind("mailchimp", "apikey", _after("", _HEX, 32, "-us21")),
    Kind("telegram", "botToken", lambda source: f"{source.randint(10**8, 10**9)}:AA{_any(_URL_SAFE, 33)(source)}"),
    Kind(
        "discord-bot",
        "botToken",
        lambda source: f"MT{_any(_WORD, 24)(source)}.G{_any(_WORD, 5)(source)}.{_any(_URL_SAFE, 38)(source)}",
    ),
    Kind("discord-webhook", "webhookToken", _any(_WORD, 68), has_form=False),
    Kind("shopify", "X-Shopify-Access-Token", _after("shp" + "at_", _HEX, 32)),
    Kind("hubspot", "accessToken", lambda source: f"pat-na1-{_uuid(source)}"),
    Kind("notion", "token", _after("nt" + "n_", _WORD, 46)),
    Kind("notion-old", "token", _after("secret" + "_", _WORD, 43)),
    Kind("airtable", "token", lambda source: f"pat{_any(_WORD, 14)(source)}.{_any(_HEX, 64)(source)}"),
    Kind("cloudflare", "X-Auth-Key", _any(_HEX, 37), has_form=False),
    Kind("digitalocean", "apiToken", _after("dop" + "_v1_", _HEX, 64)),
    Kind("heroku", "api_key", _uuid, has_form=False),
    Kind("npm", "_authToken", _after("npm" + "_", _WORD, 36)),
    Kind("pypi", "password", _after("pypi" + "-AgEIcHlwaS5vcmc", _URL_SAFE, 60)),
    Kind("jwt", "id_token", _jwt()),
    Kind("n8n-api-key", "X-N8N-API-KEY", _jwt(iss="n8n", aud="public-api")),
    Kind("resume-token", "resumeToken", _any(_HEX, 64), has_form=False),
    Kind("rsa-key", "privateKey", _pem("RSA PRIVATE KEY")),
    Kind("ssh-key", "sshKey", _pem("OPENSSH PRIVATE KEY")),
    Kind("ec-key", "signingKey", _pem("EC PRIVATE KEY")),
    Kind("pgp-key", "pgp_private_key", _pem("PGP PRIVATE KEY BLOCK")),
    Kind("bearer", "Authorization", _any(_HEX, 48), has_form=False),
    Kind("session-id", "session_id", _any(_HEX, 26), has_form=False),
    Kind("cookie", "Cookie", _any(_WORD, 30), has_form=False),
    Kind("azure-account-key", "AccountKey", _after("", _BASE64, 86, "=="), has_form=False),
    Kind("azure-client-secret", "client_secret", lambda source: f"{_any(_WORD, 3)(source)}8Q~{_any(_WORD, 34)(source)}"),
    Kind("azure-sas", "sig", lambda source: base64.b64encode(source.randbytes(32)).decode(), has_form=False),
    Kind("google-api-key", "apiKey", _after("AI" + "za", _URL_SAFE, 35)),
    Kind("google-access", "access_token", _after("ya" + "29.", _URL_SAFE, 120)),
    Kind("google-refresh", "refresh_token", _after("1/" + "/0", _URL_SAFE, 60)),
    Kind("google-secret", "client_secret", _after("GOC" + "SPX-", _URL_SAFE, 28)),
    Kind("firebase-server", "serverKey", lambda source: f"AAAA{_any(_WORD, 7)(source)}:{_any(_URL_SAFE, 140)(source)}"),
    Kind("facebook", "access_token", _after("EA" + "A", _WORD, 120)),
    Kind("whatsapp", "accessToken", _after("EA" + "AG", _WORD, 150)),
    Kind("paypal", "access_token", _after("A21" + "AA", _URL_SAFE, 92)),
    Kind("paypal-secret", "clientSecret", _any(_URL_SAFE, 80), has_form=False),
    Kind("square", "accessToken", _after("sq0" + "atp-", _URL_SAFE, 22)),
    Kind("razorpay", "key_secret", _any(_WORD, 24), has_form=False),
    Kind("razorpay-id", "razorpayKey", _after("rzp" + "_live_", _WORD, 14)),
    Kind("okta", "apiToken", _after("0" + "0", _URL_SAFE, 40)),
    Kind("datadog", "DD-API-KEY", _any(_HEX, 32), has_form=False),
    Kind("datadog-app", "DD-APPLICATION-KEY", _any(_HEX, 40), has_form=False),
    Kind("sentry", "authToken", _after("sntry" + "u_", _HEX, 64)),
    Kind("sentry-dsn", "dsn", _any(_HEX, 32), has_form=False),
    Kind("new-relic", "Api-Key", _after("NR" + "AK-", string.ascii_uppercase + _DIGITS, 27)),
    Kind("grafana", "token", lambda source: f"glsa_{_any(_WORD, 32)(source)}_{_any(_HEX, 8)(source)}"),
    Kind("vault", "X-Vault-Token", _after("hv" + "s.", _WORD, 24)),
    Kind("databricks", "token", _after("da" + "pi", _HEX, 32)),
    Kind("huggingface", "token", _after("h" + "f_", _LETTERS, 34)),
    Kind("replicate", "apiToken", _after("r" + "8_", _WORD, 37)),
    Kind("linear", "apiKey", _after("lin" + "_api_", _WORD, 40)),
    Kind("figma", "X-Figma-Token", _after("fig" + "d_", _URL_SAFE, 40)),
    Kind("asana", "accessToken", lambda source: f"1/{source.randint(10**15, 10**16)}:{_any(_HEX, 32)(source)}"),
    Kind("atlassian", "apiToken", _after("ATA" + "TT3xFfGF0", _URL_SAFE, 180)),
    Kind("dropbox", "accessToken", _after("s" + "l.u.", _URL_SAFE, 130)),
    Kind("zoom", "clientSecret", _any(_WORD, 32), has_form=False),
    Kind("intercom", "accessToken", _after("dG9" + "rOg", _WORD, 52, "=")),
    Kind("groq", "apiKey", _after("gs" + "k_", _WORD, 52)),
    Kind("brevo", "api-key", lambda source: f"xkeysib-{_any(_HEX, 64)(source)}-{_any(_WORD, 16)(source)}"),
    Kind("woocommerce", "consumerSecret", _after("c" + "s_", _HEX, 40)),
    Kind("password", "password", _after("", _WORD, 12, "!9"), has_form=False),
    Kind("arabic-password", "كلمة المرور", _after("", _WORD, 12, "سر"), has_form=False),
    Kind("pin", "pin", _any(_DIGITS, 8), has_form=False),
    Kind("generic-api-key", "api_key", _any(_WORD, 24), has_form=False),
    Kind("database-password", "dbPassword", _any(_WORD + "+%", 20), has_form=False),
)


def make_secret(kind: Kind, seed: int = 1) -> str:
    """A value of the kind, always the same for a seed."""
    return kind.make(random.Random(f"{kind.name}/{seed}"))


def pieces_of(secret: str) -> list[str]:
    """What must not be found anywhere of a secret: all of it, and of a long or a many-lined one its middle."""
    body = max(secret.split("\n"), key=len)
    return [body] if len(body) < 40 else [body[8:40]]


def forms_of(secret: str) -> list[str]:
    """The secret's pieces as they stand, in a URL, and in Base64."""
    pieces = pieces_of(secret)
    return [*pieces, *(quote(piece, safe="") for piece in pieces), base64.b64encode(secret.encode()).decode()[:40]]


#: (place, what the error and the items hold) of a secret with its field's name. Every place tells the secret by itself.
NAMED_PLACES: dict[str, Callable[[str, str], Json]] = {
    "url-query": lambda field, value: {
        "url": f"https://api.example/v1/orders?{quote(field, safe='')}={quote(value, safe='')}&page=2"
    },
    "url-userinfo": lambda field, value: {"url": f"https://shop:{quote(value, safe='')}@api.example/v1"},
    "database-url": lambda field, value: {
        "text": f"connect to postgres://app:{quote(value, safe='')}@db.example:5432/shop failed"
    },
    "header": lambda field, value: {"headers": {field: value, "accept": "application/json"}},
    "bearer-header": lambda field, value: {"headers": {"authorization": f"Bearer {value}"}},
    "cookie-header": lambda field, value: {"headers": {"cookie": f"theme=dark; sid={quote(value, safe='')}; lang=ar"}},
    "set-cookie": lambda field, value: {"headers": {"set-cookie": [f"sid={quote(value, safe='')}; Path=/; HttpOnly"]}},
    "basic-header": lambda field, value: {
        "headers": {"authorization": "Basic " + base64.b64encode(f"shop:{value}".encode()).decode()}
    },
    "body": lambda field, value: {"body": {"order": 7, field: value}},
    "deep-body": lambda field, value: {"body": {"account": {"login": [{"user": "shop", field: value}]}}},
    "header-parameters": lambda field, value: {"headerParameters": {"parameters": [{"name": field, "value": value}]}},
    "json-in-text": lambda field, value: {"text": json.dumps({"order": 7, field: value})},
    "json-in-json-in-text": lambda field, value: {"text": json.dumps({"raw": json.dumps({field: value})})},
    "code": lambda field, value: {"jsCode": f"const config = {{ {json.dumps(field)}: {json.dumps(value)} }};\nreturn items;"},
    "form-body": lambda field, value: {"body": f"user=shop&{quote(field, safe='')}={quote(value, safe='')}"},
}
#: Places that say nothing about what stands there: for the kinds that are known by their form.
UNNAMED_PLACES: dict[str, Callable[[str], Json]] = {
    "sentence": lambda value: {"text": f"The service answered that {value} is not valid here."},
    "lone-value": lambda value: {"note": value},
    "url-path": lambda value: {
        "url": f"https://api.example/bot{value}/send" if ":AA" in value else f"https://api.example/{value}/send"
    },
    "encoded": lambda value: {"url": f"https://api.example/?next={quote(value, safe='')}"},
    "in-list": lambda value: {"lines": ["one", value, "three"]},
    "key": lambda value: {"seen": {value: True}},
}


def executions(*planted: tuple[Kind, str]) -> Iterator[tuple[str, Json]]:
    """(place, execution with its workflow) for every place where secrets of these kinds can stand.

    Each execution repeats the secrets in its error's texts and stack, where nothing but the place tells them.
    """
    for place, make in NAMED_PLACES.items():
        yield place, _execution([(make(kind.field, secret), secret) for kind, secret in planted])
    for place, make_unnamed in UNNAMED_PLACES.items():
        formed = [(make_unnamed(secret), secret) for kind, secret in planted if kind.has_form]
        if formed:
            yield place, _execution(formed)
    far = {f"part{number}": {kind.field: secret} for number, (kind, secret) in enumerate(planted)}
    yield "far-away", _execution([({}, secret) for _, secret in planted], far=far)


def _execution(planted: Sequence[tuple[Json, str]], far: Json | None = None) -> Json:
    """A failed execution whose node parameters, input, output and error hold the contents; its error repeats the secrets.

    ``far`` stands in an item that the evidence leaves out.
    """
    content = {f"part{number}": inner for number, (inner, _) in enumerate(planted)}
    secrets = [secret for _, secret in planted]
    call = {
        "id": "2",
        "name": "Call",
        "type": "n8n-nodes-base.httpRequest",
        "typeVersion": 4.2,
        "position": [200, 0],
        "parameters": {"method": "POST", **content},
    }
    hook = {"id": "1", "name": "Hook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0], "parameters": {}}
    error = {
        "name": "NodeApiError",
        "httpCode": "401",
        "message": "Refused: " + ", ".join(f"the value {secret}" for secret in secrets),
        "description": " ".join(f"'{secret}'" for secret in secrets),
        "messages": ["401 - " + json.dumps(json.dumps({"said": secrets, **content}))],
        "context": {"request": {"method": "POST", **content}, "data": content},
        "stack": "\n".join(f"{secret}\n    at call (https://api.example/{quote(secret, safe='')}:1:2)" for secret in secrets),
        "node": call,
    }
    items = [
        {"json": {"number": number, "headers": {"x-note": "none"}, **(content if number == 0 else {})}} for number in range(30)
    ]
    items[-1]["json"] |= far or {}
    return {
        "id": "7",
        "status": "error",
        "mode": "webhook",
        "workflowData": {
            "name": "Orders",
            "nodes": [hook, call],
            "connections": {"Hook": {"main": [[{"node": "Call", "type": "main", "index": 0}]]}},
            "settings": {},
        },
        "data": {
            "resumeToken": "f" * 64,
            "resultData": {
                "error": error,
                "runData": {
                    "Hook": [{"executionStatus": "success", "executionTime": 1, "source": [], "data": {"main": [items]}}],
                    "Call": [
                        {"executionStatus": "error", "executionTime": 9, "source": [{"previousNode": "Hook"}], "error": error}
                    ],
                },
                "lastNodeExecuted": "Call",
            },
            "executionData": {"nodeExecutionStack": [{"node": call, "data": {"main": [items]}, "source": None}]},
        },
    }
