"""Saves a request into a workflow of n8n: shown before, refused where the workflow changed meanwhile, taken back by one click."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import undefer

from hub.analyses.differences import Difference, find_differences
from hub.analyses.patches import canonical, content_hash, document_of, same_document
from hub.analyses.repair_guards import live_differs
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.http import Note
from hub.crypto import DecryptionError
from hub.errors import Conflict, Invalid, NotFound, Unavailable
from hub.extensions import db
from hub.http_builder.definitions import definition_of
from hub.http_builder.models import Environment, Variable
from hub.http_builder.n8n.changes import ChangedSince, find_changes, is_unsaved, take_back
from hub.http_builder.n8n.models import CHANGES, NodeSave, SaveState
from hub.http_builder.n8n.node import NodeChoices, build_node
from hub.http_builder.n8n.pack_credential import pack_credential
from hub.http_builder.n8n.placing import CredentialReference, NoSuchNode, Placed, Target, place_request
from hub.http_builder.rendering import Scope, Value, Values
from hub.http_builder.services import get_request
from hub.identifiers import new_id
from hub.instances.client import N8nClient
from hub.instances.errors import Forbidden, Missing, N8nError, Rejected
from hub.instances.services import get_connected_instance, open_client
from hub.instances.words import describe_error
from hub.redaction import redact
from hub.workflows.ingest import store_workflows
from hub.workflows.models import Workflow
from hub.workflows.services import get_workflow

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person has chosen. ``credential_id`` is n8n's; None leaves the credential to be chosen in n8n, or as it is."""

    target: Target
    choices: NodeChoices = field(default_factory=NodeChoices)
    credential_id: str | None = None
    live: bool = False


@dataclass(frozen=True, slots=True)
class SavePreview:
    """What a save would change. ``differences`` are redacted; without ``digest`` it can't be saved and ``obstacle`` says why."""

    differences: tuple[Difference, ...]
    notes: tuple[Note, ...]
    warnings: tuple[str, ...]
    digest: str | None = None
    obstacle: str | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """A save worked out against a workflow as it is now."""

    fresh: Json
    placed: Placed
    digest: str
    drafts: bool


def make_target(node: str | None, after: str | None, name: str) -> Target:
    """An existing node, or a new one; ``Invalid`` where that has no name."""
    if node:
        return Target(node=node)
    name = name.strip()
    if not 1 <= len(name) <= 200:
        raise Invalid(fields={"name": _("Enter a name of at most 200 characters.")})
    return Target(after=after, name=name)


def credential_choices(actor: Actor, request_id: str, workflow_id: str) -> list[CredentialReference]:
    """Credentials of the workflow's n8n that could sign the request in; n8n's API lists none, so those that nodes use."""
    request = get_request(actor, request_id)
    credential = build_node(definition_of(request), pack=pack_credential(request)).credential
    types = credential.types if credential else ()
    workflow = get_workflow(actor, workflow_id)
    rows = db.session.scalars(sa.select(Workflow.credentials).where(Workflow.instance_id == workflow.instance_id))
    found = {key: CredentialReference(kind, key, name) for row in rows for key, name, kind in row if kind in types}
    return sorted(found.values(), key=lambda known: (types.index(known.type), known.name.lower()))


def preview_save(actor: Actor, request_id: str, workflow_id: str, wish: Wish) -> SavePreview:
    """What the save changes in the workflow as it is in n8n now. ``Invalid`` for a node that is none; ``Unavailable``."""
    client, workflow = _open(actor, workflow_id)
    with client:
        try:
            plan = _plan(actor, request_id, workflow, wish, client)
        except N8nError as error:
            raise Unavailable(describe_error(error.code, error.details)) from error
    before = document_of(plan.fresh)
    hidden = redact({"before": before, "after": plan.placed.document}).value
    differences = find_differences(hidden["before"], hidden["after"])
    obstacle = _obstacle(plan, wish)
    return SavePreview(
        differences,
        plan.placed.notes,
        tuple(_warnings(plan, wish)),
        digest=None if obstacle else plan.digest,
        obstacle=obstacle,
    )


def save_to_n8n(actor: Actor, request_id: str, workflow_id: str, wish: Wish, digest: str) -> NodeSave:
    """Save what was shown. ``Conflict`` where the workflow or the request is another by now: nothing was changed then."""
    client, workflow = _open(actor, workflow_id)
    with client:
        try:
            plan = _plan(actor, request_id, workflow, wish, client)
        except N8nError as error:
            raise Unavailable(describe_error(error.code, error.details)) from error
        obstacle = _obstacle(plan, wish)
        if obstacle is not None:
            raise Conflict(obstacle)
        if plan.digest != digest:
            raise Conflict(_("The workflow was changed in n8n, or the request here, since this was shown. Nothing was saved."))
        save_id = _begin(actor, request_id, workflow, wish, plan)
        outcome = _write(client, workflow.n8n_id, plan, wish)
    return _finish(actor, save_id, plan, outcome)


def get_save(actor: Actor, save_id: str) -> NodeSave:
    """One of the actor's saves."""
    found = db.session.scalar(sa.select(NodeSave).where(NodeSave.id == save_id, NodeSave.user_id == actor.user_id))
    if found is None:
        raise NotFound()
    return found


def list_saves(actor: Actor, request_id: str, limit: int = 20) -> Sequence[tuple[NodeSave, str]]:
    """The newest saves of a request, each with its workflow's name."""
    statement = (
        sa.select(NodeSave, Workflow.name)
        .join(Workflow, Workflow.id == NodeSave.workflow_id)
        .where(NodeSave.request_id == request_id, NodeSave.user_id == actor.user_id)
        .order_by(NodeSave.created_at.desc(), NodeSave.id.desc())
        .limit(limit)
    )
    return [(save, name) for save, name in db.session.execute(statement)]


def undo_save(actor: Actor, save_id: str) -> NodeSave:
    """Take a save back. ``Conflict`` where its nodes were changed since: then nothing is touched."""
    save = get_save(actor, save_id)
    if save.state not in (SaveState.SAVED, SaveState.SAVING):
        raise Conflict(_("Only what was saved can be taken back."))
    changes = _open_changes(save_id)
    went_live, name = save.went_live, save.node
    client, workflow = _open(actor, save.workflow_id)
    with client:
        try:
            fresh, problem = _restore(client, workflow.n8n_id, changes, went_live=went_live)
        except ChangedSince as changed:
            words = _("“%(node)s” was changed in n8n since it was saved, so nothing was taken back.", node=changed.node)
            raise Conflict(words) from changed
        except N8nError as error:
            raise Unavailable(describe_error(error.code, error.details)) from error
    save = get_save(actor, save_id)
    save.state, save.undone_at, save.problem = SaveState.UNDONE, utc_now(), problem
    store_workflows(workflow.instance_id, [fresh])
    details = {"workflow_id": workflow.id, "node": name, "problem": problem}
    record_event(actor, "request.undo_save_to_n8n", "request", save.request_id, details=details)
    db.session.commit()
    return save


# --- Parts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """The workflow's ids, after the transaction has ended."""

    id: str
    n8n_id: str
    instance_id: str


@dataclass(frozen=True, slots=True)
class _Outcome:
    state: SaveState
    fresh: Json | None = None
    version_id: str | None = None
    went_live: bool = False
    problem: str | None = None
    message: str | None = None


def _open(actor: Actor, workflow_id: str) -> tuple[N8nClient, _Place]:
    """A client for the workflow's n8n. Ends the transaction: none is open while n8n is asked."""
    workflow = get_workflow(actor, workflow_id)
    instance = get_connected_instance(actor, workflow.instance_id)
    place = _Place(workflow.id, workflow.n8n_id, workflow.instance_id)
    try:
        client = open_client(instance)
    except N8nError as error:
        raise Unavailable(describe_error(error.code, error.details)) from error
    db.session.commit()
    return client, place


def _plan(actor: Actor, request_id: str, workflow: _Place, wish: Wish, client: N8nClient) -> _Plan:
    fresh = client.get_workflow(workflow.n8n_id)
    drafts = client.features().publish_if_active
    request = get_request(actor, request_id)
    definition, pack = definition_of(request), pack_credential(request)
    values = _values(actor, request_id).with_variables_of(definition)
    known = {known.id: known for known in credential_choices(actor, request_id, workflow.id)}
    db.session.commit()
    try:
        placed = place_request(
            fresh,
            definition,
            wish.target,
            choices=wish.choices,
            credential=known.get(wish.credential_id) if wish.credential_id else None,
            secret_names={value.name for value in values if value.secret},
            values={value.name: value.text for value in values if not value.secret},
            pack=pack,
        )
    except NoSuchNode as error:
        raise Invalid(fields={"node": _("The workflow has no such node any more. Choose another one.")}) from error
    state = [fresh.get("versionId"), content_hash(fresh), placed.document, wish.live]
    return _Plan(fresh, placed, hashlib.sha256(canonical(state).encode()).hexdigest(), drafts)


def _values(actor: Actor, request_id: str) -> Values:
    """The names of all variables that the request may use, with the text of those that are no secret."""
    active = sa.select(Environment.id).where(Environment.user_id == actor.user_id, Environment.active).scalar_subquery()
    reach = sa.or_(Variable.scope == Scope.USER.value, Variable.request_id == request_id, Variable.environment_id == active)
    rows = db.session.scalars(sa.select(Variable).where(Variable.user_id == actor.user_id, reach))
    return Values(
        Value(row.name, "" if row.is_secret else row.value or "", row.is_secret, scope=Scope(row.scope.partition(":")[0]))
        for row in rows
    )


def _obstacle(plan: _Plan, wish: Wish) -> str | None:
    """Why the save can't be made."""
    if plan.fresh.get("isArchived"):
        return str(_("The workflow is archived in n8n. Unarchive it there first."))
    if same_document(plan.fresh, plan.placed.document) and not wish.live:
        return str(_("The node sends this request already: there is nothing to save."))
    if plan.fresh.get("active") and not plan.drafts and not wish.live:
        return str(_("This n8n knows no drafts: a change of an active workflow goes live at once. Choose to put it live."))
    return None


def _warnings(plan: _Plan, wish: Wish) -> list[str]:
    active = bool(plan.fresh.get("active"))
    if wish.live and active and live_differs(plan.fresh):
        return [str(_("The draft holds other changes that are not live yet. They go live together with this one."))]
    if wish.live and not active:
        return [str(_("The workflow is not live in n8n. Putting this live publishes it: its triggers start to work."))]
    return []


def _begin(actor: Actor, request_id: str, workflow: _Place, wish: Wish, plan: _Plan) -> str:
    """Note the save before n8n is asked to make it, with the way back. Commits."""
    save = NodeSave(id=new_id(), user_id=actor.user_id, request_id=request_id, workflow_id=workflow.id, node=plan.placed.node)
    save.is_new, save.state = wish.target.node is None, SaveState.SAVING
    save.changes = _seal(save.id, find_changes(document_of(plan.fresh), plan.placed.document))
    db.session.add(save)
    save_id = save.id
    db.session.commit()
    return save_id


def _write(client: N8nClient, n8n_id: str, plan: _Plan, wish: Wish) -> _Outcome:
    """Save the document, as a draft where n8n can, and put it live where that was chosen. Raises nothing."""
    intended = plan.placed.document
    goes_live = bool(plan.fresh.get("active")) and not plan.drafts
    try:
        if not same_document(plan.fresh, intended):
            client.update_workflow(n8n_id, intended, publish_if_active=goes_live)
    except (Rejected, Missing, Forbidden) as refused:
        if not (isinstance(refused, Forbidden) and "versionId" in refused.body):
            return _Outcome(SaveState.REFUSED, problem="n8n-refused", message=_words(refused))
    except N8nError as error:
        return _Outcome(SaveState.SAVING, problem="no-answer", message=_words(error))
    try:
        fresh = client.get_workflow(n8n_id)
        problem = None if same_document(fresh, intended) else "saved-differently"
        version_id = fresh.get("versionId")
        if not wish.live or goes_live:
            return _Outcome(SaveState.SAVED, fresh, version_id, goes_live, problem)
    except N8nError as error:
        return _Outcome(SaveState.SAVING, problem="no-answer", message=_words(error))
    try:
        client.publish_workflow(n8n_id, version_id)
        return _Outcome(SaveState.SAVED, client.get_workflow(n8n_id), version_id, True, problem)
    except N8nError as error:
        return _Outcome(SaveState.SAVED, fresh, version_id, False, "not-published", _words(error))


def _finish(actor: Actor, save_id: str, plan: _Plan, outcome: _Outcome) -> NodeSave:
    """Store what came of it. What n8n has now is what an undo compares with. Commits."""
    save = get_save(actor, save_id)
    save.state, save.version_id, save.went_live = outcome.state, outcome.version_id, outcome.went_live
    save.problem, save.message = outcome.problem, outcome.message
    if outcome.fresh is not None:
        save.changes = _seal(save_id, find_changes(document_of(plan.fresh), document_of(outcome.fresh)))
        workflow = db.session.get_one(Workflow, save.workflow_id)
        store_workflows(workflow.instance_id, [outcome.fresh])
    details = {"workflow_id": save.workflow_id, "node": save.node, "live": save.went_live, "problem": save.problem}
    is_saved = save.state is SaveState.SAVED
    record_event(actor, "request.save_to_n8n", "request", save.request_id, success=is_saved, details=details)
    db.session.commit()
    return save


def _restore(client: N8nClient, n8n_id: str, changes: Json, *, went_live: bool) -> tuple[Json, str | None]:
    """The workflow with the save taken back, and what is left to say."""
    fresh = client.get_workflow(n8n_id)
    if is_unsaved(fresh, changes):
        return fresh, "was-not-there"
    drafts = client.features().publish_if_active
    is_live = went_live and bool(fresh.get("active"))
    runs_draft = is_live and not live_differs(fresh)
    old = take_back(fresh, changes)
    try:
        client.update_workflow(n8n_id, old, publish_if_active=is_live and not drafts)
    except Forbidden as forbidden:
        if "versionId" not in forbidden.body:
            raise
    fresh = client.get_workflow(n8n_id)
    if is_live and drafts and not runs_draft:
        return fresh, "live-keeps-it"
    if is_live and drafts:
        try:
            client.publish_workflow(n8n_id, fresh.get("versionId"))
        except N8nError:
            return fresh, "live-keeps-it"
        fresh = client.get_workflow(n8n_id)
    return fresh, None


def _words(error: N8nError) -> str:
    return str(error.details.get("message") or describe_error(error.code, error.details))[:500]


def _seal(save_id: str, changes: Json) -> str:
    """Nodes may hold secrets in the clear, so they are kept encrypted."""
    return CHANGES.encrypt(json.dumps(changes), save_id)


def _open_changes(save_id: str) -> Json:
    row = db.session.get_one(NodeSave, save_id, options=[undefer(NodeSave.changes)], populate_existing=True)
    try:
        changes: Json = json.loads(CHANGES.decrypt(row.changes, save_id))
    except DecryptionError as error:
        words = _(
            "What was there before is encrypted with a key that the hub does not have now. Ask an operator; nothing was changed."
        )
        raise Conflict(words) from error
    return changes
