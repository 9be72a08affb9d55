"""Secrets that stand in imported texts: each goes apart under a name, and its placeholder takes its place."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable

from hub.contracts.http import PLACEHOLDER, ApiKeyAuth, Auth, BasicAuth, BearerAuth, NoAuth, Pair
from hub.http_builder.secret_values import free_name
from hub.redaction.names import is_ordinary, is_secret_name, is_secret_parameter
from hub.redaction.search import Search
from hub.redaction.shapes import find_shapes

#: Shorter values stand in many places by chance.
_SHORTEST = 4
#: Words before a token in an Authorization header; others (``AWS4-HMAC-SHA256``, ``Digest``) begin something that is no token.
_PREFIXES = frozenset(("apikey", "api-key", "bearer", "bot", "geniekey", "key", "oauth", "sso-key", "ssws", "token"))
#: Headers that belong to the browser or the protocol although their names look like a key's.
_NO_KEYS = frozenset(("sec-websocket-key", "idempotency-key", "x-idempotency-key", "cookie"))
_NO_AUTH = NoAuth()


class SecretCollector:
    """Values of one draft's secrets by name."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.values: dict[str, str] = {}
        self._taken = set(taken)

    def keep(self, name: str, value: str) -> str:
        """The placeholder that stands for the value. What is empty, names a variable or is an expression of n8n stays.

        The same value has one name; another value under the same name gets a number.
        """
        if not value or (value.startswith("=") and "{{" in value) or PLACEHOLDER.search(value):
            return value
        found = next((known for known, kept in self.values.items() if kept == value), None)
        if found is None:
            found = free_name(name, self._taken | self.values.keys())
            self.values[found] = value
        return "{{" + found + "}}"


def take_credentials(headers: Iterable[Pair], secrets: SecretCollector, auth: Auth = _NO_AUTH) -> tuple[tuple[Pair, ...], Auth]:
    """The headers without the one that signs in, and that one as authentication; other secret headers name a variable.

    An ``Authorization`` header signs in, or else the only header with a key's name. Several of them stay headers, and so do
    all where ``auth`` is known already.
    """
    rows = list(headers)
    if not isinstance(auth, NoAuth):
        return hide_headers(rows, secrets), auth
    signing = [row for row in rows if row.enabled and row.name.lower() == "authorization"]
    if len(signing) == 1:
        auth = read_authorization(signing[0].value, secrets)
    elif not signing:
        signing = [row for row in rows if row.enabled and row.value and is_key_header(row.name)]
        if len(signing) == 1:
            auth = ApiKeyAuth(name=signing[0].name, value=secrets.keep(signing[0].name, signing[0].value))
    if not isinstance(auth, NoAuth):
        rows.remove(signing[0])
    return hide_headers(rows, secrets), auth


def is_key_header(name: str) -> bool:
    """Whether a header of this name carries a key (``X-Api-Key``, ``X-Shopify-Access-Token``)."""
    return is_secret_name(name) and name.lower() not in _NO_KEYS and "authorization" not in name.lower()


def read_authorization(value: str, secrets: SecretCollector) -> Auth:
    """The authentication that the value of an ``Authorization`` header stands for: by its scheme, or as a key of its own form."""
    scheme, space, rest = value.partition(" ")
    if scheme.lower() == "basic" and space:
        basic = _read_basic(rest, secrets)
        if basic is not None:
            return basic
    if scheme.lower() in _PREFIXES and rest and rest == rest.strip() and " " not in rest and "=" not in rest.rstrip("="):
        return BearerAuth(prefix=scheme, token=secrets.keep("TOKEN", rest))
    return ApiKeyAuth(name="Authorization", value=secrets.keep("AUTHORIZATION", value))


def _read_basic(encoded: str, secrets: SecretCollector) -> BasicAuth | None:
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    if not colon or base64.b64encode(f"{user}:{password}".encode()).decode() != encoded:
        return None
    return BasicAuth(
        username=secrets.keep("USERNAME", user) if not password else user, password=secrets.keep("PASSWORD", password)
    )


def hide_rows(rows: Iterable[Pair], secrets: SecretCollector) -> tuple[Pair, ...]:
    """Parameters or form fields, those with a secret's name naming a variable instead."""
    return tuple(
        row.model_copy(update={"value": secrets.keep(row.name, row.value)})
        if is_secret_parameter(row.name, row.value) and not is_ordinary(row.value)
        else row
        for row in rows
    )


def hide_in_url(url: str, secrets: SecretCollector) -> str:
    """The URL with keys that are known by their form (a bot's token in the path) named instead."""
    for value in sorted(find_shapes(url), key=len, reverse=True):
        if value in url and not PLACEHOLDER.search(value):
            url = url.replace(value, secrets.keep("TOKEN", value))
    return url


def hide_in_json(text: str, secrets: SecretCollector) -> str:
    """JSON text in which secrets are named instead; only where that changes no other byte. What is no JSON stays as it is."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    search = Search()
    search.walk_names(document)
    search.walk_shapes(document)
    for value in search.values:
        written = json.dumps(value, ensure_ascii=False)[1:-1]
        if written != value or PLACEHOLDER.search(value) or len(value) < _SHORTEST:
            continue
        named = re.search(rf'"([^"\\\n]{{1,80}})"\s*:\s*"{re.escape(value)}"', text)
        text = text.replace(f'"{value}"', f'"{secrets.keep(named.group(1) if named else "SECRET", value)}"')
    return text


def hide_headers(rows: Iterable[Pair], secrets: SecretCollector) -> tuple[Pair, ...]:
    """Headers, those with a secret's name naming a variable instead."""
    return tuple(_without_secret(row, secrets) for row in rows)


def _without_secret(row: Pair, secrets: SecretCollector) -> Pair:
    secret = row.name.lower() in ("cookie", "authorization") or is_key_header(row.name) or "authorization" in row.name.lower()
    return row.model_copy(update={"value": secrets.keep(row.name, row.value)}) if secret else row
