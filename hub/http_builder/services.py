"""Saved requests: list, get, create, change, copy, delete with undo. Each checks the owner and writes the audit event."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts.plan_limits import Limit
from hub.accounts.quotas import counts, require_room
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.http import RequestDraft
from hub.errors import Conflict, NotFound
from hub.extensions import db
from hub.http_builder.definitions import columns_of, definition_of, snapshot_of
from hub.http_builder.drafts import MAX_NAME, check_draft
from hub.http_builder.files import check_files
from hub.http_builder.listing import (
    Order,
    RequestRow,
    find_requests,
    gather_requests,
    list_folders,
    list_requests,
    list_tags,
)
from hub.http_builder.models import Request, Variable
from hub.http_builder.secret_values import (
    SecretChange,
    change_secrets,
    copy_secrets,
    lift_secrets,
    list_secrets,
    save_draft_secrets,
)
from hub.identifiers import new_id

__all__ = [
    "Order",
    "Outdated",
    "RequestRow",
    "SecretChange",
    "add_requests",
    "arrange_request",
    "count_requests",
    "create_request",
    "delete_request",
    "draft_of",
    "duplicate_request",
    "find_requests",
    "gather_requests",
    "get_request",
    "is_deleted",
    "list_folders",
    "list_request_secrets",
    "list_requests",
    "list_tags",
    "remove_deleted_requests",
    "restore_request",
    "save_draft_secrets",
    "update_request",
    "version_of",
]

#: How long a deleted request can be had back.
KEEP_DELETED = dt.timedelta(days=30)


class Outdated(Conflict):
    """Somebody saved the request since it was opened; ``current`` is what is stored now. Nothing was changed."""

    def __init__(self, current: Request) -> None:
        super().__init__(_("The request was changed elsewhere since you opened it. Nothing was saved yet."))
        self.current = current


# --- Reading -------------------------------------------------------------------------------------------------------


def get_request(actor: Actor, request_id: str, *, lock: bool = False) -> Request:
    """One of the actor's requests; a stranger's or a deleted one is ``NotFound``. ``lock`` holds it until the commit."""
    own = _own(actor, request_id).where(Request.deleted_at.is_(None))
    found = db.session.scalar(own.with_for_update() if lock else own)
    if found is None:
        raise NotFound()
    return found


def list_request_secrets(actor: Actor, request_id: str) -> Sequence[Variable]:
    """The secret variables of one of the actor's requests, by name; their values are never in what is shown."""
    return list_secrets(get_request(actor, request_id).id)


def draft_of(request: Request) -> RequestDraft:
    """The request as a draft, without its secrets."""
    return RequestDraft(
        name=request.name,
        definition=definition_of(request),
        description=request.description,
        folder=request.folder,
        tags=tuple(request.tags),
        documentation=request.documentation,
        origin=request.origin,
    )


def version_of(request: Request) -> str:
    """A digest of everything that a save replaces; being sent or marked as a favourite does not change it."""
    content = json.dumps(draft_of(request).model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def is_deleted(actor: Actor, request_id: str) -> bool:
    """Whether ``restore_request`` would bring back something."""
    own = sa.select(Request.id).where(Request.id == request_id, Request.user_id == actor.user_id)
    return db.session.scalar(own.where(Request.deleted_at.is_not(None))) is not None


@counts(Limit.SAVED_REQUESTS)
def count_requests(account_id: str) -> int:
    """How many requests an account has, without the deleted ones."""
    mine = sa.select(sa.func.count()).select_from(Request).where(Request.user_id == account_id, Request.deleted_at.is_(None))
    return db.session.scalar(mine) or 0


# --- Changing ------------------------------------------------------------------------------------------------------


def create_request(
    actor: Actor,
    draft: RequestDraft,
    *,
    secrets: Iterable[SecretChange] = (),
    service_id: str | None = None,
    endpoint_id: str | None = None,
    commit: bool = True,
) -> Request:
    """Save a new request with its secrets, each bound to the host of its URL. ``Invalid`` names each field that is wrong;
    ``PlanLimitReached`` where the plan has no room.

    ``commit`` False leaves the commit to the caller, who saves several.
    """
    changes = list(secrets)
    draft = check_draft(lift_secrets(draft, [change.name for change in changes]))
    check_files(actor, draft.definition)
    require_room(actor, Limit.SAVED_REQUESTS)
    request = _new_row(actor, draft)
    request.service_id, request.endpoint_id = service_id, endpoint_id
    db.session.add(request)
    db.session.flush()
    change_secrets(actor, request, [*_typed(draft), *changes], draft.definition)
    record_event(actor, "request.create", "request", request.id, details=_facts(request))
    if commit:
        db.session.commit()
    return request


def add_requests(actor: Actor, drafts: Sequence[RequestDraft]) -> list[Request]:
    """New requests from checked drafts, with their secrets, in few statements. The caller commits and records the event."""
    if drafts:
        require_room(actor, Limit.SAVED_REQUESTS, len(drafts))
    requests = [_new_row(actor, draft) for draft in drafts]
    db.session.add_all(requests)
    db.session.flush()
    for request, draft in zip(requests, drafts, strict=True):
        change_secrets(actor, request, _typed(draft), draft.definition)
    return requests


def update_request(
    actor: Actor,
    request_id: str,
    draft: RequestDraft,
    *,
    version: str | None = None,
    secrets: Iterable[SecretChange] = (),
    because: Mapping[str, Any] | None = None,
    commit: bool = True,
) -> Request:
    """Replace what the request says. With the ``version`` that was opened, a save over a newer one is ``Outdated``.

    Secrets that are in neither ``draft.secrets`` nor ``secrets`` stay as they are. ``because`` is for the audit log.
    """
    request = get_request(actor, request_id, lock=True)
    if version is not None and version != version_of(request):
        raise Outdated(request)
    changes = list(secrets)
    taken = {variable.name for variable in list_secrets(request.id)} | {change.name for change in changes}
    draft = check_draft(lift_secrets(draft, taken, definition_of(request).auth))
    check_files(actor, draft.definition)
    _apply(request, draft)
    is_changed = db.session.is_modified(request)
    change_secrets(actor, request, [*_typed(draft), *changes], draft.definition)
    if is_changed or draft.secrets or changes:
        request.updated_at = utc_now()
        record_event(actor, "request.update", "request", request.id, details={**_facts(request), **(because or {})})
    if commit:
        db.session.commit()
    return request


def arrange_request(
    actor: Actor,
    request_id: str,
    *,
    favorite: bool | None = None,
    folder: str | None = None,
    tags: Sequence[str] | None = None,
) -> Request:
    """Mark as a favourite, move to a folder (empty for none) or tag; None leaves each as it is."""
    request = get_request(actor, request_id, lock=True)
    draft = draft_of(request)
    moved = {} if folder is None else {"folder": folder}
    draft = check_draft(draft.model_copy(update=moved | ({} if tags is None else {"tags": tuple(tags)})))
    request.folder, request.tags = draft.folder, list(draft.tags)
    if favorite is not None:
        request.favorite = favorite
    details = {**_facts(request), "folder": request.folder, "tags": request.tags, "favorite": request.favorite}
    record_event(actor, "request.arrange", "request", request.id, details=details)
    if folder is not None or tags is not None:
        request.updated_at = utc_now()
    db.session.commit()
    return request


def duplicate_request(actor: Actor, request_id: str) -> Request:
    """A copy with the same secrets, named "… (copy)"; it is nobody's favourite and was never sent."""
    source = get_request(actor, request_id)
    draft = draft_of(source)
    name = _("%(name)s (copy)", name=draft.name[: MAX_NAME - 20])
    draft = draft.model_copy(update={"name": name, "origin": None})
    copy = create_request(actor, draft, service_id=source.service_id, endpoint_id=source.endpoint_id, commit=False)
    copy_secrets(source, copy)
    db.session.commit()
    return copy


def delete_request(actor: Actor, request_id: str) -> Request:
    """Take the request off every list. ``restore_request`` brings it back within ``KEEP_DELETED``."""
    request = get_request(actor, request_id, lock=True)
    request.deleted_at = utc_now()
    record_event(actor, "request.delete", "request", request.id, details=_facts(request))
    db.session.commit()
    return request


def restore_request(actor: Actor, request_id: str) -> Request:
    """Undo a delete; one that was not deleted stays as it is. ``PlanLimitReached`` where its place was taken since."""
    request = db.session.scalar(_own(actor, request_id).with_for_update())
    if request is None:
        raise NotFound()
    if request.deleted_at is not None:
        require_room(actor, Limit.SAVED_REQUESTS)
        request.deleted_at = None
        record_event(actor, "request.restore", "request", request.id, details=_facts(request))
        db.session.commit()
    return request


def remove_deleted_requests(now: dt.datetime | None = None) -> int:
    """Remove for good what was deleted longer than ``KEEP_DELETED`` ago; answers how many. The caller commits."""
    gone = sa.delete(Request).where(Request.deleted_at < (now or utc_now()) - KEEP_DELETED).returning(Request.id)
    return len(db.session.scalars(gone).all())


# --- Parts ---------------------------------------------------------------------------------------------------------


def _own(actor: Actor, request_id: str) -> sa.Select[Request]:
    return sa.select(Request).where(Request.id == request_id, Request.user_id == actor.user_id)


def _new_row(actor: Actor, draft: RequestDraft) -> Request:
    assert actor.user_id is not None  # noqa: S101 (the hub itself saves no requests)
    request = Request(id=new_id(), user_id=actor.user_id)
    _apply(request, draft)
    if draft.origin:
        request.origin, request.imported = draft.origin[:400], snapshot_of(draft)
    return request


def _apply(request: Request, draft: RequestDraft) -> None:
    for name, value in columns_of(draft.definition).items():
        if getattr(request, name) != value:
            setattr(request, name, value)
    request.name, request.description, request.documentation = draft.name, draft.description, draft.documentation
    request.folder, request.tags = draft.folder, list(draft.tags)


def _typed(draft: RequestDraft) -> list[SecretChange]:
    return [SecretChange(name, value) for name, value in draft.secrets.items()]


def _facts(request: Request) -> dict[str, Any]:
    """What the audit log keeps of a request: never its values."""
    return {"name": request.name, "method": request.method.value}
