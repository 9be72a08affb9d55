"""Using a service pack: what a person fills in, where it is kept, the request that comes of it, and whether the key works.

Values of a service (its key above all) are kept once for all of its requests, as variables of the person named
``<service>.<NAME>``; secret ones are encrypted and bound to the hosts of the pack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.audit.services import record_event
from hub.catalog.filling import make_draft, name_of_variable, variables_of
from hub.catalog.models import Template
from hub.catalog.services import PackOrigin, count_use, endpoint_of, get_template, get_templates, service_of
from hub.contracts.actor import Actor
from hub.contracts.catalog import EndpointTemplate, ServiceFacts, TemplateVariable
from hub.contracts.http import RequestDraft
from hub.errors import Invalid, NotFound
from hub.extensions import db
from hub.http_builder.environments import USER, save_secret
from hub.http_builder.models import Request, RequestRun, Variable
from hub.http_builder.rendering import Preview, Value, Values, preview_definition
from hub.http_builder.running import start_run, values_for
from hub.http_builder.services import create_request
from hub.i18n import current_language
from hub.identifiers import new_id
from hub.storable import clean_text

MAX_VALUE = 10_000
_SHORT_FORMS = frozenset(("API", "HTML", "ID", "SID", "TS", "URL", "WABA"))


@dataclass(frozen=True, slots=True)
class FillField:
    """One variable in a form. ``value`` is empty for a secret; ``is_stored`` tells that one is kept."""

    variable: TemplateVariable
    value: str
    is_common: bool
    is_stored: bool
    #: The name as people read it, where the pack gives no label.
    label: str


@dataclass(frozen=True, slots=True)
class ServicePage:
    """A service with its requests; ``test_fields`` is what the test of the key needs, None where the pack has no test."""

    service: ServiceFacts
    origin: PackOrigin
    templates: Sequence[Template]
    test_fields: list[FillField] | None


@dataclass(frozen=True, slots=True)
class FillPage:
    """The form of one request."""

    service: ServiceFacts
    origin: PackOrigin
    template: Template
    endpoint: EndpointTemplate
    choice: str
    fields: list[FillField]


@dataclass(frozen=True, slots=True)
class _Filled:
    """What was typed: all values by the pack's names, and which of them are new secrets."""

    values: dict[str, str]
    secrets: dict[str, str]


# --- Looking -------------------------------------------------------------------------------------------------------


def show_service(actor: Actor, service_id: str, choice: str = "") -> ServicePage:
    """The page of a service; ``NotFound`` where no enabled pack brings it."""
    templates = get_templates(actor, service_id)
    service = service_of(templates[0])
    test = _test_of(service, templates)
    fields = _fields(actor, service, test, choice) if test is not None else None
    return ServicePage(service, _origin(templates[0]), templates, fields)


def show_endpoint(actor: Actor, service_id: str, endpoint_id: str, choice: str = "") -> FillPage:
    """The form of one request, with what is stored and the defaults."""
    template = get_template(actor, service_id, endpoint_id)
    service, endpoint = service_of(template), endpoint_of(template)
    return FillPage(service, _origin(template), template, endpoint, choice, _fields(actor, service, endpoint, choice))


# --- Using ---------------------------------------------------------------------------------------------------------


def preview_template(actor: Actor, page: FillPage, form: Mapping[str, str]) -> Preview:
    """What would be sent for what was typed; nothing is stored. ``Invalid`` names each wrong field."""
    filled = _read(page.fields, form)
    draft = make_draft(page.service, page.endpoint, filled.values, page.choice, language=current_language())
    typed = [
        Value(
            name_of_variable(page.service.service_id, field.variable.name),
            filled.secrets.get(field.variable.name, "") if field.variable.secret else filled.values[field.variable.name],
            field.variable.secret,
            page.service.hosts if field.variable.secret else (),
        )
        for field in page.fields
        if field.is_common and (field.variable.name in filled.secrets or not field.variable.secret)
    ]
    stored = values_for(actor, definition=draft.definition)
    return preview_definition(draft.definition, Values((*typed, *stored)), files={})


def use_template(actor: Actor, page: FillPage, form: Mapping[str, str]) -> Request:
    """Keep the service's values, save the request and count the use, all in one transaction."""
    filled = _read(page.fields, form)
    draft = make_draft(page.service, page.endpoint, filled.values, page.choice, language=current_language())
    _save_common(actor, page.service, page.fields, filled)
    service_id, endpoint_id = page.service.service_id, page.endpoint.endpoint_id
    request = create_request(actor, draft, service_id=service_id, endpoint_id=endpoint_id, commit=False)
    _save_own_secrets(actor, page, request, filled)
    count_use(page.template)
    db.session.commit()
    return request


def try_key(actor: Actor, service_id: str, form: Mapping[str, str], choice: str = "") -> RequestRun:
    """Keep the service's values and send its test request; the run tells whether the key works."""
    templates = get_templates(actor, service_id)
    service = service_of(templates[0])
    test = _test_of(service, templates)
    if test is None:
        raise NotFound()
    fields = _fields(actor, service, test, choice)
    filled = _read(fields, form)
    draft: RequestDraft = make_draft(service, test, filled.values, choice, language=current_language())
    _save_common(actor, service, fields, filled)
    return start_run(actor, draft.definition, name=draft.name)


# --- Parts ---------------------------------------------------------------------------------------------------------


def _origin(template: Template) -> PackOrigin:
    return PackOrigin(template.plugin, template.is_official)


def _test_of(service: ServiceFacts, templates: Sequence[Template]) -> EndpointTemplate | None:
    return next((endpoint_of(row) for row in templates if row.endpoint_id == service.test_endpoint), None)


def _stored(actor: Actor, service: ServiceFacts) -> dict[str, Variable]:
    """The service's variables that the actor has, by the pack's names."""
    names = {name_of_variable(service.service_id, variable.name): variable.name for variable in service.variables}
    own = sa.select(Variable).where(Variable.user_id == actor.user_id, Variable.scope == USER, Variable.name.in_(names))
    return {names[row.name]: row for row in db.session.scalars(own)} if names else {}


def _fields(actor: Actor, service: ServiceFacts, endpoint: EndpointTemplate, choice: str) -> list[FillField]:
    stored = _stored(actor, service)
    common = {variable.name for variable in service.variables}
    fields = []
    for variable in variables_of(service, endpoint, choice):
        kept = stored.get(variable.name) if variable.name in common else None
        is_kept_secret = kept is not None and kept.is_secret
        shown = "" if variable.secret or is_kept_secret else (kept.value if kept is not None else variable.default) or ""
        label = _readable(variable.name, service.service_id)
        fields.append(FillField(variable, shown, variable.name in common, is_kept_secret, label))
    return fields


def _readable(name: str, service_id: str) -> str:
    """``STRIPE_SECRET_KEY`` of Stripe is "Secret key"; words that are short forms stay in capitals."""
    words = name.removeprefix(service_id.upper().replace("-", "_") + "_").split("_")
    lowered = [word if word in _SHORT_FORMS else word.lower() for word in words]
    return " ".join([lowered[0][:1].upper() + lowered[0][1:], *lowered[1:]])


def _read(fields: list[FillField], form: Mapping[str, str]) -> _Filled:
    """What was typed; ``Invalid`` names each field that is missing or looks wrong. A kept secret may be left empty."""
    values: dict[str, str] = {}
    secrets: dict[str, str] = {}
    problems: dict[str, str] = {}
    for field in fields:
        variable = field.variable
        text = clean_text(form.get(variable.name, "")).strip()
        problem = _problem(field, text)
        if problem:
            problems[variable.name] = problem
        values[variable.name] = text or ("kept" if field.is_stored else "")
        if variable.secret and text:
            secrets[variable.name] = text
    if problems:
        raise Invalid(fields=problems)
    return _Filled(values, secrets)


def _problem(field: FillField, text: str) -> str:
    variable = field.variable
    if not text:
        return _("This is needed.") if variable.required and not field.is_stored else ""
    if len(text) > MAX_VALUE:
        return _("At most %(count)s characters.", count=MAX_VALUE)
    if variable.pattern and (len(text) > 1000 or not re.fullmatch(variable.pattern, text)):
        example = variable.example or variable.default
        if example:
            return _("This does not look right. An example: %(example)s", example=example)
        return _("This does not look right: it should match %(pattern)s.", pattern=variable.pattern)
    return ""


def _save_common(actor: Actor, service: ServiceFacts, fields: list[FillField], filled: _Filled) -> None:
    """Keep what is the service's. The caller commits."""
    stored = _stored(actor, service)
    for field in fields:
        variable = field.variable
        if not field.is_common:
            continue
        name = name_of_variable(service.service_id, variable.name)
        if variable.secret:
            if variable.name in filled.secrets:
                save_secret(actor, None, name, filled.secrets[variable.name], service.hosts)
            continue
        kept, text = stored.get(variable.name), filled.values[variable.name]
        if kept is None and text:
            kept = Variable(id=new_id(), user_id=actor.user_id, scope=USER, name=name, hosts=[], value=text)
            kept.description = variable.description.in_language(current_language())
            db.session.add(kept)
            record_event(actor, "variable.create", "variable", kept.id, details={"name": name, "scope": USER})
        elif kept is not None and not kept.is_secret and kept.value != text:
            kept.value = text
            record_event(actor, "variable.update", "variable", kept.id, details={"name": name, "scope": USER})


def _save_own_secrets(actor: Actor, page: FillPage, request: Request, filled: _Filled) -> None:
    """Secrets that only this request has."""
    for field in page.fields:
        if not field.is_common and field.variable.name in filled.secrets:
            name = field.variable.name
            save_secret(actor, request.id, name, filled.secrets[name], page.service.hosts)
