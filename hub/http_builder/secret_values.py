"""Secrets of a saved request: taken out of its definition, stored encrypted, bound to the hosts they may go to."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.contracts.actor import Actor
from hub.contracts.http import SECRET_AUTH_FIELDS, VARIABLE_PLACEHOLDER, Auth, Pair, RequestDefinition, RequestDraft
from hub.crypto import DecryptionError, current_vault, declare_place
from hub.egress import EgressError, check_url
from hub.errors import Invalid
from hub.extensions import db
from hub.http_builder.models import SECRET_VALUE, Request, Variable
from hub.identifiers import new_id
from hub.redaction import is_secret_name

_BUILT_IN = re.compile(r"\{\{\s*\$")
#: What an Authorization header says before its secret.
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|Bot|ApiKey|Api-Key|Key|SSWS|GenieKey|OAuth)\s+(?=\S)", re.IGNORECASE)
_HEADERS = frozenset(("authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "apikey", "x-auth-token"))
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9]+")
_MAX_NAME = 60
_HOST = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?|\[[0-9a-f:.]+\](?::\d{1,5})?")
#: Scheme and host of a URL, neither holding a placeholder.
_ORIGIN = re.compile(r"https?://[^/?#{}]+(?=[/?#]|$)", re.IGNORECASE)
MAX_HOSTS = 20
#: What a form hands back to the person who typed it.
TYPED = declare_place("requests.typed")


@dataclass(frozen=True, slots=True)
class SecretChange:
    """What becomes of one secret. ``value`` None keeps the stored one; ``hosts`` None keeps them, or binds to the URL's host."""

    name: str
    value: str | None = None
    hosts: tuple[str, ...] | None = None
    removed: bool = False


def is_reference(text: str) -> bool:
    """Whether the text holds no literal secret: it is empty, names a variable, or is an n8n expression."""
    return not text or text.startswith("=") or bool(VARIABLE_PLACEHOLDER.search(text) or _BUILT_IN.search(text))


def lift_secrets(draft: RequestDraft, taken: Collection[str] = (), before: Auth | None = None) -> RequestDraft:
    """The draft with literal secrets of its authentication and headers moved to ``secrets``, a placeholder in their place.

    ``taken`` are names of secrets that the request has already; a new one gets another name, unless it stands where
    ``before`` named one: then it takes its place.
    """
    definition, secrets = draft.definition, dict(draft.secrets)
    used = {*taken, *secrets, *(row.name for row in definition.variables)}

    def lift(name: str, value: str, replaces: str = "") -> str:
        named = VARIABLE_PLACEHOLDER.fullmatch(replaces)
        name = named[1] if named and named[1] in taken else free_name(name, used)
        used.add(name)
        secrets[name] = value
        return f"{{{{{name}}}}}"

    auth = definition.auth
    literal = {field: getattr(auth, field) for field in SECRET_AUTH_FIELDS.get(auth.type, ())}
    old = before if before is not None and before.type == auth.type else None
    changed = {
        field: lift(secret_name(auth.type, field), text, getattr(old, field, ""))
        for field, text in literal.items()
        if not is_reference(text)
    }
    headers = tuple(_lift_header(row, lift) for row in definition.headers)
    definition = definition.model_copy(update={"auth": auth.model_copy(update=changed), "headers": headers})
    return draft.model_copy(update={"definition": definition, "secrets": secrets})


def free_name(text: str, used: Container[str]) -> str:
    """What a variable for the secret under a header's or a field's name is called; with a number where that is used."""
    name = (_NOT_A_NAME.sub("_", text).strip("_").upper() or "SECRET")[:_MAX_NAME]
    name = f"_{name}" if name[0].isdigit() else name
    return next(free for number in itertools.count(1) if (free := name if number == 1 else f"{name}_{number}") not in used)


def secret_name(kind: str, field: str) -> str:
    """What a secret of the authentication is called where nobody has named it."""
    return {"api-key": "API_KEY", "bearer": "TOKEN", "hmac": "SIGNING_SECRET"}.get(kind, field.upper())


def list_secrets(request_id: str) -> Sequence[Variable]:
    """The secret variables of a request that is known to be the actor's, by name."""
    mine = sa.select(Variable).where(Variable.request_id == request_id, Variable.is_secret).order_by(Variable.name)
    return db.session.scalars(mine).all()


def save_draft_secrets(actor: Actor, request: Request, secrets: Mapping[str, str], definition: RequestDefinition) -> None:
    """Store the values as secret variables of the request, bound to the hosts that ``definition`` sends them to.

    The caller commits. A host that is a placeholder binds nothing: the person names the hosts on the request's page.
    """
    change_secrets(actor, request, [SecretChange(name, value) for name, value in secrets.items()], definition)


def change_secrets(actor: Actor, request: Request, changes: Sequence[SecretChange], definition: RequestDefinition) -> None:
    """Apply the changes; ``Invalid`` (``secrets``) where one can't be. The caller commits.

    A stored value goes to no further host unless it is typed again: else whoever may edit could send it to a host of theirs.
    """
    if not changes:
        return
    stored = {variable.name: variable for variable in list_secrets(request.id)}
    for change in changes:
        variable = stored.get(change.name)
        if change.removed:
            if variable is not None:
                db.session.delete(variable)
            continue
        hosts = None if change.hosts is None else check_hosts(change.hosts, "secrets")
        if variable is None:
            if not change.value:
                raise Invalid(fields={"secrets": _("Enter the value of %(name)s.", name=change.name)})
            variable = Variable(id=new_id(), user_id=actor.user_id, request_id=request.id, scope=f"request:{request.id}")
            variable.name, variable.is_secret, variable.hosts = change.name, True, []
            db.session.add(variable)
        if change.value:
            variable.secret_value = SECRET_VALUE.encrypt(change.value, variable.id)
            variable.hosts = list(
                dict.fromkeys([*variable.hosts, *hosts_of(definition, change.name)]) if hosts is None else hosts
            )
        elif hosts is not None:
            if not set(hosts) <= set(variable.hosts):
                words = _("Enter the value of %(name)s again to let it go to another host.", name=change.name)
                raise Invalid(fields={"secrets": words})
            variable.hosts = list(hosts)


def copy_secrets(source: Request, target: Request) -> None:
    """Give the secrets of one request to its copy, encrypted anew: an envelope opens at its own row alone."""
    for variable in list_secrets(source.id):
        copy = Variable(id=new_id(), user_id=target.user_id, request_id=target.id, scope=f"request:{target.id}", is_secret=True)
        copy.name, copy.hosts, copy.description = variable.name, list(variable.hosts), variable.description
        try:
            value = SECRET_VALUE.decrypt(variable.secret_value or "", variable.id)
        except DecryptionError:
            continue  # encrypted with a key that is gone: the copy names it and has no value
        copy.secret_value = SECRET_VALUE.encrypt(value, copy.id)
        db.session.add(copy)


def seal_typed(actor: Actor, value: str) -> str:
    """A secret that was typed and is not saved yet, so that a form which comes back with a message still has it."""
    return current_vault().encrypt(value, binding=f"{TYPED}:{actor.user_id}")


def open_typed(actor: Actor, envelope: str) -> str:
    """What ``seal_typed`` sealed for this person; empty where it does not open."""
    try:
        return current_vault().decrypt(envelope, binding=f"{TYPED}:{actor.user_id}")
    except DecryptionError:
        return ""


def seal_secrets(actor: Actor, secrets: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows of the form's table for secrets that an import brought and nobody has saved."""
    return [
        {"name": name, "value": "", "sealed": seal_typed(actor, value), "hosts": "", "key": f"new-{name}"}
        for name, value in secrets.items()
    ]


def hosts_of(definition: RequestDefinition, name: str) -> list[str]:
    """The hosts that the definition sends the secret ``name`` to: the URL's; an OAuth2 client's goes to the token's too.

    The token that an OAuth2 client gets goes where its secret may go, so both hosts are the client secret's.
    """
    is_client_secret = getattr(definition.auth, "client_secret", None) == f"{{{{{name}}}}}"
    urls = [getattr(definition.auth, "token_url", ""), definition.url] if is_client_secret else [definition.url]
    return list(dict.fromkeys(authority for url in urls if (authority := authority_of(_filled(url, definition)))))


def _filled(url: str, definition: RequestDefinition) -> str:
    """The URL with the request's own plain variables, which go before all others: imported URLs begin with ``{{base_url}}``."""
    plain = {row.name: row.value for row in definition.variables if row.enabled}
    return VARIABLE_PLACEHOLDER.sub(lambda found: plain.get(found[1], found[0]), url)


def authority_of(url: str) -> str | None:
    """``host`` or ``host:port`` of a URL, None where a placeholder or nothing sensible stands there."""
    origin = _ORIGIN.match(url)
    try:
        return check_url(origin[0]).authority if origin else None
    except EgressError:
        return None


def _lift_header(row: Pair, lift: Callable[[str, str], str]) -> Pair:
    if is_reference(row.value) or not (row.name.lower() in _HEADERS or is_secret_name(row.name)):
        return row
    scheme = _SCHEME.match(row.value)
    start = scheme.end() if scheme else 0
    return row.model_copy(update={"value": row.value[:start] + lift("TOKEN" if scheme else row.name, row.value[start:])})


def check_hosts(hosts: Sequence[str], field: str = "hosts") -> list[str]:
    """``host``, ``host:port`` or ``*.suffix``, lower-case, each once; ``Invalid`` (``field``) for anything else."""
    found = list(dict.fromkeys(host.strip().lower() for host in hosts if host.strip()))
    wrong = next((host for host in found if not _HOST.fullmatch(host)), None)
    if wrong is not None:
        words = _("%(host)s is no host. Write api.example.com, api.example.com:8443 or *.example.com.", host=wrong)
        raise Invalid(fields={field: words})
    if len(found) > MAX_HOSTS:
        raise Invalid(fields={field: _("Name at most %(most)s hosts.", most=MAX_HOSTS)})
    return found
