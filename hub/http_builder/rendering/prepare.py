"""From a definition and values to the bytes that are sent, or to all the reasons why they are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hub.contracts.exchange import ExchangeLimits, WireRequest
from hub.contracts.http import Assertion, Auth, DigestAuth, Note, OAuth2ClientCredentials, OAuth2Code, RequestDefinition
from hub.egress import DEFAULT_HEADERS, MAX_REQUEST_BODY, Target, may_reach
from hub.http_builder.rendering.authentication import Signing, add_authentication, render_key_in_query, render_login
from hub.http_builder.rendering.bodies import render_body
from hub.http_builder.rendering.headers import has_header, render_headers
from hub.http_builder.rendering.masking import DOTS, SHORTEST, Mask
from hub.http_builder.rendering.placeholders import is_built_in, is_expression, names_in, texts_of, texts_of_tests
from hub.http_builder.rendering.problems import Problem, RenderError
from hub.http_builder.rendering.renderer import Renderer
from hub.http_builder.rendering.urls import render_query, render_url
from hub.http_builder.rendering.values import FileContent, Values


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that is ready to be sent, with its secrets: nothing of it is shown or stored but through ``mask``."""

    wire: WireRequest = field(repr=False)
    limits: ExchangeLimits
    mask: Mask = field(repr=False)
    notes: tuple[Note, ...] = ()
    #: Exactly what was signed (HMAC, AWS), with its secrets.
    signed: str | None = field(default=None, repr=False)
    #: User name and password that answer a digest challenge.
    login: tuple[str, str] | None = field(default=None, repr=False)
    #: The tests with their values, secrets among them.
    assertions: tuple[Assertion, ...] = field(default=(), repr=False)


def prepare(
    definition: RequestDefinition, values: Values, *, files: Mapping[str, FileContent], token: str | None = None
) -> Prepared:
    """What is sent for a definition. ``token`` is the access token, where the authentication is OAuth2.

    Raises ``RenderError`` with every problem that there is, and nothing else, whatever the definition and the values hold.
    """
    prepared, problems = build(definition, values, files=files, token=token)
    if problems:
        raise RenderError(problems)
    return prepared


def build(
    definition: RequestDefinition,
    values: Values,
    *,
    files: Mapping[str, FileContent],
    token: str | None = None,
    assume_token: bool = False,
) -> tuple[Prepared, tuple[Problem, ...]]:
    """As far as it can be filled in, and what is in the way; only without problems is it fit to be sent.

    ``assume_token`` puts dots where a token is still to be fetched.
    """
    renderer = Renderer(values.with_variables_of(definition))
    auth = definition.auth
    if token is None and assume_token and isinstance(auth, OAuth2ClientCredentials | OAuth2Code):
        renderer.note("token-will-be-fetched")
        token = DOTS
    elif token:
        renderer.own_secrets.append(token)
    query = render_query(renderer, definition.params) + render_key_in_query(renderer, auth)
    url, target = render_url(renderer, definition.url, query)
    headers = render_headers(renderer, definition.headers, target)
    body = render_body(renderer, definition.body, files, headers)
    if body is not None and len(body) > MAX_REQUEST_BODY:
        renderer.refuse("body", "body-too-large", limit=MAX_REQUEST_BODY)
    signing = Signing(renderer, definition.method.value, url, headers, body)
    add_authentication(signing, auth, token)
    login = render_login(renderer, auth) if isinstance(auth, DigestAuth) else None
    headers[:0] = [default for default in DEFAULT_HEADERS if not has_header(headers, default[0])]
    if target:
        _check_hosts(renderer, target)
    bound = tuple(_bound_secrets(renderer, signing, target))
    tests, assertions = _render_tests(definition, renderer)
    settings = definition.settings
    prepared = Prepared(
        wire=WireRequest(
            method=definition.method.value,
            url=url,
            headers=tuple(headers),
            body=body,
            secrets=tuple(secret for secret, _hosts in bound),
            secret_hosts=bound,
        ),
        limits=ExchangeLimits(
            seconds=settings.timeout_seconds,
            follow_redirects=settings.follow_redirects,
            max_redirects=settings.max_redirects,
            verify_tls=settings.verify_tls,
        ),
        mask=_mask(renderer, auth, signing).with_secrets((value.name, value.text) for value in tests.used),
        notes=tuple(renderer.notes),
        signed=signing.signed,
        login=login,
        assertions=assertions,
    )
    return prepared, (*renderer.problems, *tests.problems)


def find_unresolved(definition: RequestDefinition, values: Values) -> tuple[Problem, ...]:
    """Every name that no scope knows (``unresolved``) and every expression of n8n (``expression``), with its place."""
    values = values.with_variables_of(definition)
    found = []
    for place, text in (*texts_of(definition), *texts_of_tests(definition)):
        if is_expression(text):
            found.append(Problem(place, "expression"))
        for name in dict.fromkeys(names_in(text)):
            if values.get(name) is None and not is_built_in(definition, place, name):
                found.append(Problem(place, "unresolved", {"name": name}))
    return tuple(found)


def _render_tests(definition: RequestDefinition, sending: Renderer) -> tuple[Renderer, tuple[Assertion, ...]]:
    """What the tests expect. Their secrets go nowhere, so the hosts of these do not matter; they are masked all the same."""
    renderer = Renderer(sending.values)
    renderer.timestamp = sending.timestamp
    expected = {place: renderer.text(text, place) for place, text in texts_of_tests(definition)}
    return renderer, tuple(
        test.model_copy(update={"expected": expected.get(f"assertions.{index}.expected", test.expected)})
        for index, test in enumerate(definition.assertions)
    )


def _check_hosts(renderer: Renderer, target: Target) -> None:
    """A secret goes to its own hosts only, and not in clear text over a network without a word."""
    for value, place in renderer.used.items():
        if not may_reach(value.hosts, target):
            renderer.refuse(
                place, "secret-host" if value.hosts else "secret-unbound", name=value.name, host=target.authority,
                allowed=", ".join(value.hosts),
            )  # fmt: skip
    has_secret = bool(renderer.used or renderer.own_secrets)
    if has_secret and target.scheme == "http" and target.host not in ("localhost", "::1") and not target.host.startswith("127."):
        renderer.note("secret-in-clear", host=target.authority)


def _bound_secrets(renderer: Renderer, signing: Signing, target: Target | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every secret that stands in the request, with the hosts that may see it."""
    here = (target.authority,) if target else ()
    own = [(value.text, value.hosts) for value in renderer.used]
    own += [(secret, here) for secret in (*renderer.own_secrets, *signing.derived)]
    return ((secret, hosts) for secret, hosts in own if secret)


def _mask(renderer: Renderer, auth: Auth, signing: Signing) -> Mask:
    """Of what was derived only Basic's credentials give a secret away; a signature does not, and is worth seeing."""
    secrets = [(value.name, value.text) for value in renderer.used]
    for value in renderer.used:
        # A secret URL is secret in its path too: what an answer repeats is often the path alone.
        parts = urlsplit(value.text) if value.text.startswith(("http://", "https://")) else None
        if parts and len(parts.path) >= 2 * SHORTEST:
            secrets.append((value.name, parts.path))
    secrets += [("", secret) for secret in renderer.own_secrets]
    if auth.type == "basic":
        secrets += [("", encoded) for encoded in signing.derived]
    return Mask(secrets)
