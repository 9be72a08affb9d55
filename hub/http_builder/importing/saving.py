"""Saving what was imported: new requests, and earlier ones brought up to date without losing what their person changed."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition, RequestDraft
from hub.errors import Invalid
from hub.extensions import db
from hub.http_builder.definitions import COLUMNS, TEXTS, columns_of, definition_of, snapshot_of
from hub.http_builder.drafts import check_draft
from hub.http_builder.importing.environments import SavedEnvironment, save_environments
from hub.http_builder.importing.merging import Merged, merge_definitions, merge_value
from hub.http_builder.importing.results import ImportResult
from hub.http_builder.models import Request
from hub.http_builder.secret_values import lift_secrets, list_secrets, save_draft_secrets
from hub.http_builder.services import add_requests

#: On requests whose operation is not in the document any more.
GONE_TAG = "gone"
#: Kinds of documents that say all there is; a pasted ``.bru`` file or a recording is only a part.
_WHOLE = ("openapi", "postman", "insomnia")


class Fate(enum.StrEnum):
    """What an import does with a draft."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Item:
    """One request of the import. ``kept``: changes of the person's stayed; ``conflicts``: those that the document wanted else."""

    name: str
    fate: Fate
    request_id: str | None = None
    kept: bool = False
    conflicts: tuple[str, ...] = ()
    #: Why it was refused, by field.
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import does or did, in the order of the document; ``gone`` are requests that the document no longer has."""

    items: tuple[Item, ...]
    gone: tuple[tuple[str, str], ...] = ()
    environments: tuple[SavedEnvironment, ...] = ()

    def of(self, fate: Fate) -> tuple[Item, ...]:
        """The items of one fate."""
        return tuple(item for item in self.items if item.fate is fate)

    @property
    def kept(self) -> tuple[Item, ...]:
        """Those in which changes of the person's stayed."""
        return tuple(item for item in self.items if item.kept)

    @property
    def conflicts(self) -> tuple[Item, ...]:
        """Those in which person and document changed the same, each its own way."""
        return tuple(item for item in self.items if item.conflicts)


def plan_import(actor: Actor, result: ImportResult) -> ImportSummary:
    """What ``save_import`` of all drafts would do. Nothing is changed."""
    stored = _stored(actor, result)
    items = tuple(_Plan(draft, stored.get(draft.origin or "")).item for draft in result.drafts)
    return ImportSummary(items, tuple((row.id, row.name) for row in _gone(result, stored)))


def save_import(actor: Actor, result: ImportResult, chosen: Collection[int] | None = None) -> ImportSummary:
    """Save the drafts at the places ``chosen`` (None: all of them).

    A draft whose origin the person has already brings that request up to date: what they did not touch follows the document,
    what they changed stays, and where both did the conflict is named. What the document lost is tagged, never deleted. A draft
    that cannot be stored is refused by itself; environments are added or filled up. ``Invalid`` where there is no room for all.
    """
    stored = _stored(actor, result, lock=True)
    plans = [
        _Plan(draft, stored.get(draft.origin or ""))
        for place, draft in enumerate(result.drafts)
        if chosen is None or place in chosen
    ]
    for plan in plans:
        plan.apply(actor)
    new = [plan for plan in plans if plan.fate is Fate.NEW]
    for plan, request in zip(new, add_requests(actor, [plan.draft for plan in new]), strict=True):
        plan.request = request
    gone = _gone(result, stored)
    for row in gone:
        if GONE_TAG not in row.tags:
            row.tags = [*row.tags, GONE_TAG]
    summary = ImportSummary(
        tuple(plan.item for plan in plans),
        tuple((row.id, row.name) for row in gone),
    )
    counts = {fate.value: len(summary.of(fate)) for fate in Fate}
    record_event(actor, "request.import", "request", details={"kind": result.kind, **counts, "gone": len(gone)})
    db.session.commit()
    return replace(summary, environments=save_environments(actor, result.environments))


class _Plan:
    """What becomes of one draft."""

    def __init__(self, draft: RequestDraft, request: Request | None) -> None:
        self.draft = draft
        self.request = request
        self.fate = Fate.NEW
        self._problems: dict[str, str] = {}
        self._merged: Merged | None = None
        self._texts: dict[str, Any] = {}
        self._conflicts: tuple[str, ...] = ()
        try:
            self.draft = check_draft(lift_secrets(_storable(draft)))
        except Invalid as error:
            self.fate, self._problems = Fate.REFUSED, error.fields or {"": error.message}
            return
        if request is not None:
            self._merge(request)

    def _merge(self, request: Request) -> None:
        base = request.imported or {}
        own, new = definition_of(request), self.draft.definition
        self._merged = merge_definitions(_definition(base) or own, own, new)
        conflicts = list(self._merged.conflicts)
        for name in TEXTS:
            mine = getattr(request, name)
            value, conflict = merge_value(base.get(name, mine), mine, getattr(self.draft, name))
            self._texts[name] = value
            if conflict:
                conflicts.append(name)
        old = base.get("tags", request.tags)
        tags = [tag for tag in request.tags if tag != GONE_TAG and (tag not in old or tag in self.draft.tags)]
        self._texts["tags"] = [*tags, *(tag for tag in self.draft.tags if tag not in tags and tag not in old)]
        self._conflicts = tuple(conflicts)
        changed = self._merged.definition != own or any(getattr(request, name) != value for name, value in self._texts.items())
        self.fate = Fate.UPDATED if changed else Fate.UNCHANGED

    @property
    def item(self) -> Item:
        """For the summary."""
        differs = any(self._texts.get(name) != getattr(self.draft, name) for name in TEXTS) if self._texts else False
        return Item(
            name=self.draft.name,
            fate=self.fate,
            request_id=self.request.id if self.request is not None else None,
            kept=bool(self._merged and (self._merged.kept or differs)),
            conflicts=self._conflicts,
            problems=self._problems,
        )

    def apply(self, actor: Actor) -> None:
        """Bring the stored request up to date; new ones are added together."""
        request = self.request
        if request is None or self._merged is None:
            return
        if self.fate is Fate.UPDATED:
            for name, value in (columns_of(self._merged.definition) | self._texts).items():
                if getattr(request, name) != value:
                    setattr(request, name, value)
            request.updated_at = utc_now()
        snapshot = snapshot_of(self.draft)
        if request.imported != snapshot:
            request.imported = snapshot
        if self.draft.secrets:
            known = {variable.name for variable in list_secrets(request.id)}
            missing = {name: value for name, value in self.draft.secrets.items() if name not in known}
            save_draft_secrets(actor, request, missing, self._merged.definition)


def _storable(draft: RequestDraft) -> RequestDraft:
    """Without secrets that have no value: the request names them, the person fills them in."""
    return draft.model_copy(update={"secrets": {name: value for name, value in draft.secrets.items() if value}})


def _definition(snapshot: dict[str, Any]) -> RequestDefinition | None:
    """The definition in a snapshot; None where it is not one of this version's."""
    try:
        return (
            RequestDefinition.model_validate({name: snapshot[name] for name in COLUMNS if name in snapshot}) if snapshot else None
        )
    except ValueError:
        return None


def _prefixes(drafts: Sequence[RequestDraft]) -> set[str]:
    """What the origins of the documents' requests begin with."""
    return {draft.origin.partition("#")[0] + "#" for draft in drafts if draft.origin}


def _stored(actor: Actor, result: ImportResult, *, lock: bool = False) -> dict[str, Request]:
    """The actor's requests from the same documents by their origins; of several the one that was made first."""
    prefixes = _prefixes(result.drafts)
    if not prefixes:
        return {}
    begins = sa.or_(*(Request.origin.startswith(prefix, autoescape=True) for prefix in sorted(prefixes)))
    own = sa.select(Request).where(Request.user_id == actor.user_id, Request.deleted_at.is_(None), begins)
    rows = db.session.scalars((own.with_for_update() if lock else own).order_by(Request.created_at.desc(), Request.id))
    return {str(row.origin): row for row in rows}


def _gone(result: ImportResult, stored: dict[str, Request]) -> list[Request]:
    """Requests of the document whose origin it no longer has; none for a document without a name of its own."""
    if result.kind not in _WHOLE:
        return []
    present = {draft.origin for draft in result.drafts}
    named = {prefix for prefix in _prefixes(result.drafts) if not prefix.endswith(":#")}
    return [row for origin, row in stored.items() if origin not in present and origin.partition("#")[0] + "#" in named]
