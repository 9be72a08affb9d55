"""Service templates: kept in step with the enabled packs, listed, found and counted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.dialects import postgresql, sqlite

from hub.audit.services import record_event
from hub.catalog.filling import headers_of
from hub.catalog.models import Template
from hub.columns import utc_now
from hub.contracts.actor import SYSTEM, Actor
from hub.contracts.catalog import EndpointTemplate, PackText, ServiceFacts, ServicePack
from hub.contracts.http import Body, FormBody, GraphqlBody, JsonBody
from hub.errors import NotFound
from hub.extensions import db
from hub.pagination import Page, clamp_limit, keyset, make_page

_KEY = ("service_id", "endpoint_id")
_MOST_FOUND = 60
#: More words of a search than this are passed over: SQLite takes no condition of a thousand parts.
_MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class PackOrigin:
    """The plugin that brought a pack, and whether it is one of the hub's own."""

    plugin: str = ""
    is_official: bool = True


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """A service in a list: how many requests it offers, and how often they were used."""

    service: ServiceFacts
    origin: PackOrigin
    endpoints: int
    used: int


def load_packs() -> int:
    """Bring ``templates`` in step with the packs of this app's plugins; answers how many rows were written or dropped.

    Rows of a pack that is gone are dropped, but not in safe mode and not while a plugin has a problem: then it is not known
    which packs are meant to be there.
    """
    manager = current_app.extensions["hub_plugins"]
    complete = not manager.has_problems and not current_app.extensions["hub_config"].safe_mode
    owners = {name: owner for (kind, name), owner in manager.registry.owners.items() if kind == "packs"}
    origins = {name: PackOrigin(owner, manager.plugins[owner].bundled) for name, owner in owners.items()}
    return store_packs(manager.registry.packs.values(), drop_others=complete, origins=origins)


def store_packs(packs: Iterable[ServicePack], *, drop_others: bool, origins: Mapping[str, PackOrigin] | None = None) -> int:
    """Write new and changed templates in one statement; ids and usage counts stay. Answers how many rows changed."""
    wanted = {
        (pack.service_id, endpoint.endpoint_id): _columns(
            pack, endpoint, position, (origins or {}).get(pack.service_id, PackOrigin())
        )
        for pack in packs
        for position, endpoint in enumerate(pack.endpoints)
    }
    stored = {(row.service_id, row.endpoint_id): row for row in db.session.execute(sa.select(Template)).scalars()}
    changed = [values for key, values in wanted.items() if not _is_stored(values, stored.get(key))]
    served = {service_id for service_id, _endpoint_id in wanted}
    gone = [row.id for key, row in stored.items() if key not in wanted and (drop_others or key[0] in served)]
    if changed:
        _upsert(changed)
    if gone:
        db.session.execute(sa.delete(Template).where(Template.id.in_(gone)))
    if changed or gone:
        record_event(SYSTEM, "catalog.update", "template", details={"written": len(changed), "removed": len(gone)})
    db.session.commit()
    return len(changed) + len(gone)


def list_templates(
    _actor: Actor,
    *,
    service: str | None = None,
    category: str | None = None,
    search: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[Template]:
    """Templates by service and name; everybody may see all. ``search`` looks into names and descriptions of both languages."""
    statement = sa.select(Template)
    if service:
        statement = statement.where(Template.service_id == service)
    statement = _filter(statement, category, search)
    size = clamp_limit(limit)
    order = [Template.service_name, Template.endpoint_name, Template.id]
    page = keyset(statement, order, [str, str, str], cursor=cursor, limit=size, descending=False)
    rows = db.session.execute(page).scalars().all()
    return make_page(rows, size, "service_name", "endpoint_name", "id")


def list_services(_actor: Actor, *, category: str | None = None, search: str | None = None) -> list[ServiceCard]:
    """Every service that has a template like that, by category and name."""
    found = _filter(sa.select(Template.service_id), category, search)
    counts = (
        sa.select(Template.service_id, sa.func.count().label("endpoints"), sa.func.sum(Template.usage_count).label("used"))
        .group_by(Template.service_id)
        .subquery()
    )
    rows = db.session.execute(
        sa.select(Template.service, Template.plugin, Template.is_official, counts.c.endpoints, counts.c.used)
        .join(counts, counts.c.service_id == Template.service_id)
        .where(Template.position == 0, Template.service_id.in_(found))
        .order_by(Template.category, sa.func.lower(Template.service_name), Template.service_id)
    )
    return [
        ServiceCard(
            ServiceFacts.model_validate(row.service), PackOrigin(row.plugin, row.is_official), row.endpoints, int(row.used)
        )
        for row in rows
        if row.service
    ]


def list_categories(_actor: Actor) -> list[str]:
    """The categories that there are, by name."""
    return list(db.session.scalars(sa.select(Template.category).distinct().order_by(Template.category)))


def find_endpoints(_actor: Actor, search: str, category: str | None = None) -> Sequence[Template]:
    """Templates that match the words, the most used first; at most 60."""
    order = (Template.usage_count.desc(), Template.service_name, Template.position)
    return db.session.scalars(_filter(sa.select(Template), category, search).order_by(*order).limit(_MOST_FOUND)).all()


def get_templates(_actor: Actor, service_id: str) -> Sequence[Template]:
    """All templates of a service, in the pack's order; ``NotFound`` where there is no such service."""
    rows = db.session.scalars(sa.select(Template).where(Template.service_id == service_id).order_by(Template.position)).all()
    if not rows or not rows[0].service:
        raise NotFound()
    return rows


def get_template(_actor: Actor, service_id: str, endpoint_id: str) -> Template:
    """One template; ``NotFound`` where there is none."""
    same = sa.select(Template).where(Template.service_id == service_id, Template.endpoint_id == endpoint_id)
    row = db.session.scalar(same)
    if row is None or not row.endpoint:
        raise NotFound()
    return row


def service_of(template: Template) -> ServiceFacts:
    """What the template's service shares."""
    return ServiceFacts.model_validate(template.service)


def endpoint_of(template: Template) -> EndpointTemplate:
    """The endpoint as its pack has it."""
    return EndpointTemplate.model_validate(template.endpoint)


def count_use(template: Template) -> None:
    """One more use. The caller commits."""
    counted = sa.update(Template).where(Template.id == template.id)
    db.session.execute(counted.values(usage_count=Template.usage_count + 1, updated_at=Template.updated_at))


# --- Parts ---------------------------------------------------------------------------------------------------------


def _filter(statement: sa.Select[Any], category: str | None, search: str | None) -> sa.Select[Any]:
    if category:
        statement = statement.where(Template.category == category)
    for word in (search or "").lower().split()[:_MOST_WORDS]:
        statement = statement.where(Template.search_text.contains(word, autoescape=True))
    return statement


def _columns(pack: ServicePack, endpoint: EndpointTemplate, position: int, origin: PackOrigin) -> dict[str, Any]:
    return {
        "service_id": pack.service_id,
        "service_name": pack.service_name.en,
        "service_icon": pack.service_icon,
        "category": pack.category,
        "endpoint_id": endpoint.endpoint_id,
        "endpoint_name": endpoint.endpoint_name.en,
        "description": endpoint.description.en if endpoint.description else None,
        "method": endpoint.method,
        "url_template": endpoint.url_template,
        "headers": {header.name: header.value for header in headers_of(pack, endpoint)},
        "body_template": _body_template(endpoint.body),
        "variables": [variable.model_dump(exclude_none=True) for variable in (*pack.variables, *endpoint.variables)],
        "documentation": endpoint.documentation,
        "is_official": origin.is_official,
        "plugin": origin.plugin,
        "position": position,
        "service": pack.model_dump(mode="json", exclude={"endpoints"}, exclude_none=True),
        "endpoint": endpoint.model_dump(mode="json", exclude_none=True),
        "search_text": _search_text(pack, endpoint),
    }


def _body_template(body: Body) -> Any:
    """The body as the seed keeps it: a JSON value. Text that is no JSON before it is filled in stays a text."""
    if isinstance(body, FormBody):
        return {field.name: field.value for field in body.fields}
    if isinstance(body, GraphqlBody):
        return {"query": body.query, "variables": body.variables}
    if not isinstance(body, JsonBody):
        return None
    try:
        return json.loads(body.text)
    except ValueError:
        return body.text


def _search_text(pack: ServicePack, endpoint: EndpointTemplate) -> str:
    texts = (pack.service_name, endpoint.endpoint_name, endpoint.description)
    words = [word for text in texts if isinstance(text, PackText) for word in (text.en, text.ar)]
    return "\n".join(word.lower() for word in (*words, pack.category, *endpoint.tags, endpoint.url_template) if word)


def _is_stored(values: dict[str, Any], row: Template | None) -> bool:
    return row is not None and all(getattr(row, name) == value for name, value in values.items())


def _upsert(rows: list[dict[str, Any]]) -> None:
    dialect: Any = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(Template)
    updates = {name: insert.excluded[name] for name in rows[0] if name not in _KEY}
    upsert = insert.on_conflict_do_update(index_elements=_KEY, set_={**updates, "updated_at": utc_now()})
    db.session.execute(upsert, rows)
