"""Files that people upload to be sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.http import BinaryBody, MultipartBody, RequestDefinition
from hub.errors import Invalid, TooMany
from hub.extensions import db
from hub.http_builder.models import Request, RequestFile, RequestRun
from hub.identifiers import new_id
from hub.storable import clean_text

MAX_FILE = 10_000_000
#: All files of a person together.
MAX_FILES = 500_000_000
#: So long a file waits for the form that it was uploaded with to be saved.
UNSAVED = dt.timedelta(days=1)


def store_file(actor: Actor, *, name: str, media_type: str, content: bytes) -> RequestFile:
    """Keep an uploaded file of at most 10 MB, with its audit event. The caller commits."""
    if len(content) > MAX_FILE:
        raise Invalid(_("%(name)s is larger than 10 MB.", name=name))
    held = sa.select(sa.func.coalesce(sa.func.sum(RequestFile.size), 0)).where(RequestFile.user_id == actor.user_id)
    if (db.session.scalar(held) or 0) + len(content) > MAX_FILES:
        raise TooMany(_("Your uploaded files take 500 MB, the most there can be. Delete requests that hold files."), 3600)
    assert actor.user_id is not None  # noqa: S101 (the hub itself uploads nothing)
    file = RequestFile(
        id=new_id(),
        user_id=actor.user_id,
        name=clean_text(name).replace("\\", "/").rpartition("/")[2][:255] or "file",
        media_type=clean_text(media_type)[:200] or "application/octet-stream",
        size=len(content),
        content=content,
    )
    db.session.add(file)
    db.session.flush()
    record_event(actor, "request_file.upload", "request_file", file.id, details={"name": file.name, "size": file.size})
    return file


def upload_file(actor: Actor, *, name: str, media_type: str, content: bytes) -> RequestFile:
    """The same with the commit, for a file that comes by itself."""
    file = store_file(actor, name=name, media_type=media_type, content=content)
    db.session.commit()
    return file


def file_ids(definition: RequestDefinition) -> Iterator[tuple[str, str]]:
    """The uploaded files of a body: the field that names each, and its id."""
    body = definition.body
    if isinstance(body, BinaryBody) and body.file_id:
        yield "binary", body.file_id
    if isinstance(body, MultipartBody):
        yield from (("multipart", part.file_id) for part in body.parts if part.is_file and part.file_id)


def check_files(actor: Actor, definition: RequestDefinition) -> None:
    """``Invalid`` where the body names a file that is not there, or is a stranger's."""
    named = {file_id: field for field, file_id in file_ids(definition)}
    if not named:
        return
    mine = sa.select(RequestFile.id).where(RequestFile.id.in_(named), RequestFile.user_id == actor.user_id)
    missing = set(named) - set(db.session.scalars(mine))
    if missing:
        raise Invalid(fields={named[file_id]: _("The file is no longer here. Choose it again.") for file_id in missing})


def remove_unused_files(now: dt.datetime | None = None) -> int:
    """Remove files of more than a day ago that no request and no run names; answers how many. The caller commits."""

    def named(column: sa.ColumnElement[Any], owner: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        holds = sa.cast(column, sa.Text).contains(RequestFile.id)
        return sa.exists(sa.select(sa.literal(1)).where(owner == RequestFile.user_id, holds).correlate(RequestFile))

    unused = sa.delete(RequestFile).where(
        RequestFile.created_at < (now or utc_now()) - UNSAVED,
        ~named(Request.__table__.c.body, Request.__table__.c.user_id),
        ~named(RequestRun.__table__.c.definition, RequestRun.__table__.c.user_id),
    )
    gone = unused.returning(RequestFile.id).execution_options(synchronize_session=False)
    return len(db.session.scalars(gone).all())
