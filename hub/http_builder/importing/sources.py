"""What was uploaded or fetched to be imported: kept encrypted until its person has chosen, so that it travels once."""

from __future__ import annotations

import base64
import datetime as dt
import zlib
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import DecryptionError
from hub.egress import EgressError, EgressPolicy, describe_egress_error
from hub.errors import Invalid
from hub.extensions import db
from hub.http_builder.importing.fetching import fetch_document
from hub.http_builder.importing.results import ImportRefused, ImportResult
from hub.http_builder.importing.uploads import MAX_FILE_BYTES, import_file
from hub.http_builder.importing.words import describe_refusal
from hub.http_builder.models import IMPORT_CONTENT, ImportSource
from hub.identifiers import new_id

#: How long a choice may take, and how many of a person's sources wait for one.
KEEP = dt.timedelta(days=1)
MAX_KEPT = 5


@dataclass(frozen=True, slots=True)
class Source:
    """A text or a file, and where it was fetched."""

    content: bytes
    address: str | None = None


def fetch_source(address: str, policy: EgressPolicy) -> Source:
    """The document behind an address; ``Invalid`` (``address``) where there is none."""
    try:
        found, content = fetch_document(address, policy)
    except EgressError as error:
        raise Invalid(fields={"address": describe_egress_error(error.code, error.details) or error.code}) from error
    except ImportRefused as refused:
        raise Invalid(fields={"address": describe_refusal(refused)}) from refused
    return Source(content, found)


def read_source(source: Source) -> ImportResult:
    """The requests in a source; ``Invalid`` (``source``) with the reason where there are none."""
    try:
        return import_file(source.content, address=source.address)
    except ImportRefused as refused:
        raise Invalid(fields={"source": describe_refusal(refused)}) from refused


def keep_source(actor: Actor, source: Source) -> str:
    """Keep a source for the choice of what to save, in place of the oldest where there are too many. Commits."""
    if len(source.content) > MAX_FILE_BYTES:
        raise Invalid(fields={"source": describe_refusal(ImportRefused("too-large", limit=MAX_FILE_BYTES))})
    assert actor.user_id is not None  # noqa: S101 (the hub itself imports nothing)
    key = new_id()
    packed = base64.b64encode(zlib.compress(source.content)).decode()
    row = ImportSource(id=key, user_id=actor.user_id, address=source.address)
    row.content = IMPORT_CONTENT.encrypt(packed, key)
    db.session.add(row)
    db.session.flush()
    own = sa.select(ImportSource.id).where(ImportSource.user_id == actor.user_id)
    newest = db.session.scalars(own.order_by(ImportSource.created_at.desc(), ImportSource.id.desc()).limit(MAX_KEPT)).all()
    _delete(ImportSource.user_id == actor.user_id, ImportSource.id.not_in({key, *newest}))
    db.session.commit()
    return key


def open_source(actor: Actor, source_id: str) -> Source:
    """A source that this person keeps; ``Invalid`` (``source``) where it is not here any more."""
    row = db.session.scalar(sa.select(ImportSource).where(ImportSource.id == source_id, ImportSource.user_id == actor.user_id))
    try:
        if row is not None:
            packed = IMPORT_CONTENT.decrypt(row.content, row.id)
            return Source(zlib.decompress(base64.b64decode(packed)), row.address)
    except DecryptionError:
        pass
    raise Invalid(fields={"source": _("What you wanted to import is no longer here. Paste it or choose the file again.")})


def forget_source(actor: Actor, source_id: str) -> None:
    """Delete a source that was imported. Commits."""
    _delete(ImportSource.id == source_id, ImportSource.user_id == actor.user_id)
    db.session.commit()


def remove_old_sources(now: dt.datetime | None = None) -> int:
    """Delete the sources that nobody chose from; answers how many. The caller commits."""
    return _delete(ImportSource.created_at < (now or utc_now()) - KEEP)


def _delete(*conditions: sa.ColumnElement[bool]) -> int:
    gone = sa.delete(ImportSource).where(*conditions).returning(ImportSource.id)
    return len(db.session.scalars(gone.execution_options(synchronize_session=False)).all())
