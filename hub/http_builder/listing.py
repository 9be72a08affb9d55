"""The list of saved requests with what came of the last run of each, and the folders and tags they are in."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.contracts.actor import Actor
from hub.contracts.catalog import HttpMethod
from hub.errors import Invalid, NotFound
from hub.extensions import db
from hub.http_builder.models import Request, RequestRun, RunState
from hub.pagination import Page, clamp_limit, keyset, make_page

_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: Folders and tags beside the list are at most so many.
_MOST_NAMES = 500
MAX_EXPORTED = 1000


class Order(enum.StrEnum):
    """What stands first."""

    CHANGED = "changed"
    USED = "used"


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One line of the list. The last four are of its newest run, None where it was never sent."""

    id: str
    name: str
    description: str | None
    method: HttpMethod
    url: str
    folder: str | None
    tags: list[str]
    favorite: bool
    service_id: str | None
    usage_count: int
    last_used: dt.datetime | None
    updated_at: dt.datetime
    sorted_by: dt.datetime
    run_id: str | None
    run_state: RunState | None
    status_code: int | None
    passed: bool | None


def list_requests(
    actor: Actor,
    *,
    search: str | None = None,
    method: HttpMethod | None = None,
    folder: str | None = None,
    tag: str | None = None,
    favorite: bool | None = None,
    service: str | None = None,
    order: Order = Order.CHANGED,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[RequestRow]:
    """The actor's requests; filters that are None do not filter. A folder holds what is in the folders below it."""
    limit = clamp_limit(limit)
    sorted_by: Any = Request.updated_at if order is Order.CHANGED else sa.func.coalesce(Request.last_used, sa.literal(_NEVER))
    newest = (
        sa.select(RequestRun.id)
        .where(RequestRun.request_id == Request.id)
        .order_by(RequestRun.created_at.desc(), RequestRun.id.desc())
        .limit(1)
        .correlate(Request)
        .scalar_subquery()
    )
    own = [getattr(Request, name) for name in RequestRow.__annotations__ if hasattr(Request, name)]
    run = (RequestRun.id, RequestRun.state, RequestRun.status_code, RequestRun.passed)
    statement = sa.select(*own, sorted_by, *run).outerjoin(RequestRun, RequestRun.id == newest)
    statement = statement.where(*_conditions(actor, search, method, folder, tag, favorite, service))
    page = keyset(statement, (sorted_by, Request.id), (dt.datetime, str), cursor=cursor, limit=limit)
    return make_page([RequestRow(*row) for row in db.session.execute(page)], limit, "sorted_by", "id")


def find_requests(actor: Actor, name_or_id: str) -> Sequence[Request]:
    """The actor's requests with this id or exactly this name; at most 20."""
    fits = sa.or_(Request.id == name_or_id, Request.name == name_or_id)
    return db.session.scalars(sa.select(Request).where(*_mine(actor), fits).order_by(Request.id).limit(20)).all()


def gather_requests(
    actor: Actor,
    *,
    ids: Sequence[str] = (),
    search: str | None = None,
    method: HttpMethod | None = None,
    folder: str | None = None,
    tag: str | None = None,
    favorite: bool | None = None,
    service: str | None = None,
) -> Sequence[Request]:
    """Whole requests by folder and name, to be exported: those of ``ids``, or without any, all that the filters fit.

    ``NotFound`` where one of ``ids`` is not the actor's, ``Invalid`` where there are too many.
    """
    whole = sa.select(Request).order_by(Request.folder, Request.name, Request.id).limit(MAX_EXPORTED + 1)
    if ids:
        whole = whole.where(*_mine(actor), Request.id.in_(set(ids)))
    else:
        whole = whole.where(*_conditions(actor, search, method, folder, tag, favorite, service))
    found = db.session.scalars(whole).all()
    if len(found) > MAX_EXPORTED:
        raise Invalid(_("At most %(most)s requests are exported at once. Choose a folder.", most=MAX_EXPORTED))
    if len(found) < len(set(ids)):
        raise NotFound()
    return found


def list_folders(actor: Actor) -> list[tuple[str, int]]:
    """Every folder with the number of requests in it and below it, by path."""
    held = sa.select(Request.folder, sa.func.count()).where(*_mine(actor), Request.folder.is_not(None)).group_by(Request.folder)
    counts: dict[str, int] = {}
    for path, count in db.session.execute(held.limit(_MOST_NAMES)):
        names = str(path).split("/")
        for depth in range(1, len(names) + 1):
            parent = "/".join(names[:depth])
            counts[parent] = counts.get(parent, 0) + count
    return sorted(counts.items(), key=lambda item: [name.casefold() for name in item[0].split("/")])


def list_tags(actor: Actor) -> list[tuple[str, int]]:
    """Every tag with the number of requests that have it, by name."""
    tags = _tags()
    held = sa.select(tags.c.value, sa.func.count()).select_from(Request).join(tags, sa.true()).where(*_mine(actor))
    rows = db.session.execute(held.group_by(tags.c.value).order_by(tags.c.value).limit(_MOST_NAMES))
    return [(name, count) for name, count in rows]


def _mine(actor: Actor) -> list[sa.ColumnElement[bool]]:
    return [Request.user_id == actor.user_id, Request.deleted_at.is_(None)]


def _conditions(
    actor: Actor,
    search: str | None,
    method: HttpMethod | None,
    folder: str | None,
    tag: str | None,
    favorite: bool | None,
    service: str | None,
) -> list[sa.ColumnElement[bool]]:
    conditions = _mine(actor)
    words = (search or "").replace("\0", "").split()
    for word in words:
        columns = (Request.name, Request.url, Request.description, Request.folder)
        matches = [column.icontains(word, autoescape=True) for column in columns]
        conditions.append(sa.or_(*matches, _has_tag(lambda value, word=word: value.icontains(word, autoescape=True))))
    if method is not None:
        conditions.append(Request.method == method)
    if folder:
        conditions.append(sa.or_(Request.folder == folder, Request.folder.startswith(f"{folder}/", autoescape=True)))
    if tag:
        conditions.append(_has_tag(lambda value: value == tag))
    if favorite is not None:
        conditions.append(Request.favorite.is_(favorite))
    if service:
        conditions.append(Request.service_id == service)
    return conditions


def _tags() -> Any:
    """The tags of a request as rows."""
    on_postgresql = db.engine.dialect.name == "postgresql"
    rows = sa.func.jsonb_array_elements_text(Request.tags) if on_postgresql else sa.func.json_each(Request.tags)
    return rows.table_valued(sa.column("value", sa.Text), name="tag")


def _has_tag(fits: Any) -> sa.ColumnElement[bool]:
    tags = _tags()
    return sa.exists(sa.select(sa.literal(1)).select_from(tags).where(fits(tags.c.value)))
