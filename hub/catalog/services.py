"""Service templates: kept in step with the enabled packs, and listed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.dialects import postgresql, sqlite

from hub.catalog.models import Template
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.catalog import EndpointTemplate, ServicePack
from hub.extensions import db
from hub.pagination import Page, clamp_limit, keyset, make_page

_KEY = ("service_id", "endpoint_id")


def load_packs() -> int:
    """Bring ``templates`` in step with the packs of this app's plugins; answers how many rows were written or dropped.

    Rows of a pack that is gone are dropped, but not in safe mode and not while a plugin has a problem: then it is not known
    which packs are meant to be there.
    """
    plugins = current_app.extensions["hub_plugins"]
    complete = not plugins.has_problems and not current_app.extensions["hub_config"].safe_mode
    return store_packs(plugins.registry.packs.values(), drop_others=complete)


def store_packs(packs: Iterable[ServicePack], *, drop_others: bool) -> int:
    """Write new and changed templates in one statement; ids and usage counts stay. Answers how many rows changed."""
    wanted = {(pack.service_id, endpoint.endpoint_id): _columns(pack, endpoint) for pack in packs for endpoint in pack.endpoints}
    stored = {(row.service_id, row.endpoint_id): row for row in db.session.execute(sa.select(Template)).scalars()}
    changed = [values for key, values in wanted.items() if not _is_stored(values, stored.get(key))]
    served = {service_id for service_id, _endpoint_id in wanted}
    gone = [row.id for key, row in stored.items() if key not in wanted and (drop_others or key[0] in served)]
    if changed:
        _upsert(changed)
    if gone:
        db.session.execute(sa.delete(Template).where(Template.id.in_(gone)))
    db.session.commit()
    return len(changed) + len(gone)


def _columns(pack: ServicePack, endpoint: EndpointTemplate) -> dict[str, Any]:
    return {
        "service_id": pack.service_id,
        "service_name": pack.service_name,
        "service_icon": pack.service_icon,
        "category": pack.category,
        **endpoint.model_dump(exclude={"variables"}),
        "variables": [variable.model_dump(exclude_none=True) for variable in endpoint.variables],
    }


def _is_stored(values: dict[str, Any], row: Template | None) -> bool:
    return row is not None and all(getattr(row, name) == value for name, value in values.items())


def _upsert(rows: list[dict[str, Any]]) -> None:
    dialect: Any = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(Template)
    updates = {name: insert.excluded[name] for name in rows[0] if name not in _KEY}
    upsert = insert.on_conflict_do_update(index_elements=_KEY, set_={**updates, "updated_at": utc_now()})
    db.session.execute(upsert, rows)


def list_templates(
    _actor: Actor,
    *,
    service: str | None = None,
    category: str | None = None,
    search: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[Template]:
    """Templates by service and name; everybody may see all. ``search`` looks into names and descriptions."""
    statement = sa.select(Template)
    if service:
        statement = statement.where(Template.service_id == service)
    if category:
        statement = statement.where(Template.category == category)
    if search and search.strip():
        words = search.strip()
        fields = (Template.service_name, Template.endpoint_name, Template.description)
        statement = statement.where(sa.or_(*(field.icontains(words, autoescape=True) for field in fields)))
    size = clamp_limit(limit)
    order = [Template.service_name, Template.endpoint_name, Template.id]
    page = keyset(statement, order, [str, str, str], cursor=cursor, limit=size, descending=False)
    rows = db.session.execute(page).scalars().all()
    return make_page(rows, size, "service_name", "endpoint_name", "id")


def list_services(_actor: Actor) -> list[tuple[str, str, str]]:
    """``(service id, name, category)`` of every service that has templates, by name."""
    columns = (Template.service_id, Template.service_name, Template.category)
    rows = db.session.execute(sa.select(*columns).distinct().order_by(Template.service_name, Template.service_id))
    return [(row.service_id, row.service_name, row.category) for row in rows]
