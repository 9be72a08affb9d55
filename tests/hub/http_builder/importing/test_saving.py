"""Saving imports: new requests in few statements, updates that lose no edit, secrets encrypted, strangers untouched."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from hub.accounts.models import Plan
from hub.accounts.plan_limits import LIMITS
from hub.accounts.quotas import PlanLimitReached
from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.contracts.http import Pair, RequestDraft
from hub.extensions import db
from hub.http_builder.definitions import definition_of
from hub.http_builder.environments import list_variables
from hub.http_builder.importing import ImportResult, import_text, openapi, postman
from hub.http_builder.importing.saving import GONE_TAG, Fate, plan_import, save_import
from hub.http_builder.models import Request, Variable
from hub.http_builder.services import delete_request, draft_of, get_request, update_request
from tests.hub.accounts.people import give_plan
from tests.hub.http_builder.importing.test_openapi import make_document
from tests.hub.http_builder.importing.test_postman import make_collection, rows
from tests.hub.statements import count_statements

pytestmark = pytest.mark.usefixtures("session")


def read(count: int = 3, *, first: int = 0, **operation: Any) -> ImportResult:
    document = make_document()
    document["paths"] = {
        f"/things/{n}": {
            "get": {"summary": f"Thing {n}", "parameters": [{"name": "q", "in": "query", "example": "1"}], **operation}
        }
        for n in range(first, first + count)
    }
    return openapi.read(json.dumps(document))


def fates(actor: Actor, result: ImportResult) -> list[str]:
    planned = [item.fate.value for item in plan_import(actor, result).items]
    saved = [item.fate.value for item in save_import(actor, result).items]
    assert planned == saved
    return saved


def all_requests(actor: Actor) -> list[Request]:
    return list(db.session.scalars(sa.select(Request).where(Request.user_id == actor.user_id).order_by(Request.origin)))


def edit(actor: Actor, request: Request, **changes: Any) -> None:
    draft = draft_of(request)
    parts = {name: changes.pop(name) for name in list(changes) if name in ("name", "description", "folder", "tags")}
    definition = draft.definition.model_copy(update=changes)
    update_request(actor, request.id, draft.model_copy(update={"definition": definition, **parts}))


def test_the_same_document_again_changes_nothing(alice: Actor) -> None:
    assert fates(alice, read()) == ["new"] * 3
    before = [(row.id, draft_of(row), row.imported, row.updated_at) for row in all_requests(alice)]
    assert fates(alice, read()) == ["unchanged"] * 3
    assert [(row.id, draft_of(row), row.imported, row.updated_at) for row in all_requests(alice)] == before


def test_untouched_fields_follow_the_document_and_edited_ones_stay(alice: Actor) -> None:
    save_import(alice, read(1))
    (request,) = all_requests(alice)
    edit(alice, request, name="Mine", url="https://mine.example.com", tags=("mine",))
    parameters = [{"name": "q", "in": "query", "example": "2"}, {"name": "more", "in": "query"}]
    summary = save_import(alice, read(1, description="New words", parameters=parameters, tags=["Pets", "fresh"]))
    (item,) = summary.items
    assert (item.fate, item.kept, item.conflicts) == (Fate.UPDATED, True, ())
    changed = draft_of(get_request(alice, request.id))
    assert (changed.name, changed.definition.url, changed.description) == ("Mine", "https://mine.example.com", "New words")
    assert (changed.folder, changed.tags) == ("Pets/Pets", ("mine", "fresh"))
    assert [(row.name, row.value) for row in changed.definition.params] == [("q", "2"), ("more", "")]
    assert fates(alice, read(1, description="New words", parameters=parameters, tags=["Pets", "fresh"])) == ["unchanged"]


def test_conflicts_are_told_once_and_the_edit_stays(alice: Actor) -> None:
    save_import(alice, read(1))
    (request,) = all_requests(alice)
    edit(alice, request, params=(Pair(name="q", value="mine"),), description="Mine")
    new = read(1, description="Theirs", parameters=[{"name": "q", "in": "query", "example": "theirs"}])
    planned = plan_import(alice, new)
    summary = save_import(alice, new)
    assert [item.conflicts for item in planned.conflicts] == [("params.q", "description")]
    assert [item.conflicts for item in summary.conflicts] == [("params.q", "description")]
    kept = get_request(alice, request.id)
    assert (definition_of(kept).params[0].value, kept.description) == ("mine", "Mine")
    again = save_import(alice, new)
    assert ([item.conflicts for item in again.items], [item.kept for item in again.items]) == ([()], [True])


def test_vanished_operations_are_tagged_and_come_back(alice: Actor) -> None:
    save_import(alice, read(3))
    summary = save_import(alice, read(2))
    assert [name for _id, name in summary.gone] == ["Thing 2"]
    assert [row.tags for row in all_requests(alice)] == [[], [], [GONE_TAG]]
    assert [name for _id, name in save_import(alice, read(2)).gone] == ["Thing 2"]
    assert all_requests(alice)[2].tags == [GONE_TAG]
    assert fates(alice, read(3)) == ["unchanged", "unchanged", "updated"]
    assert [row.tags for row in all_requests(alice)] == [[], [], []]


def test_only_what_is_chosen_is_saved_and_deleted_ones_are_new(alice: Actor) -> None:
    summary = save_import(alice, read(3), chosen=[0, 2])
    assert [item.name for item in summary.of(Fate.NEW)] == ["Thing 0", "Thing 2"]
    assert summary.gone == ()
    delete_request(alice, all_requests(alice)[0].id)
    assert [item.fate.value for item in plan_import(alice, read(3)).items] == ["new", "new", "unchanged"]


def test_strangers_requests_of_the_same_document_are_not_touched(alice: Actor, bob: Actor) -> None:
    save_import(alice, read(3))
    before = [(draft_of(row), row.updated_at) for row in all_requests(alice)]
    assert fates(bob, read(1, description="Bob's")) == ["new"]
    assert save_import(bob, read(1)).gone == ()
    assert [(draft_of(row), row.updated_at) for row in all_requests(alice)] == before


def test_secrets_are_stored_encrypted_and_kept_when_imported_again(alice: Actor) -> None:
    def collection(token: str) -> ImportResult:
        auth = {"type": "bearer", "bearer": rows([("token", token)])}
        variables = [{"key": "pin", "value": "", "type": "secret"}]
        return postman.read(
            make_collection({"name": "One", "request": "https://x.example.com/{{pin}}"}, auth=auth, variable=variables)
        )

    save_import(alice, collection("tok-1-secret"))
    (variable,) = db.session.scalars(sa.select(Variable)).all()
    envelope = variable.secret_value
    assert (variable.name, variable.is_secret, variable.value, variable.hosts) == ("TOKEN", True, None, ["x.example.com"])
    (request,) = all_requests(alice)
    assert "tok-1-secret" not in json.dumps([draft_of(request).model_dump(mode="json"), request.imported, envelope])
    assert [item.fate for item in save_import(alice, collection("tok-2-secret")).items] == [Fate.UNCHANGED]
    assert db.session.scalars(sa.select(Variable)).one().secret_value == envelope


def test_a_secret_is_bound_to_the_host_that_the_requests_own_variable_names(alice: Actor) -> None:
    auth = {"type": "bearer", "bearer": rows([("token", "tok-1-secret")])}
    variables = [{"key": "base", "value": "https://x.example.com/v1"}]
    save_import(alice, postman.read(make_collection({"name": "One", "request": "{{base}}/a"}, auth=auth, variable=variables)))
    assert db.session.scalars(sa.select(Variable)).one().hosts == ["x.example.com"]


def test_environments_are_made_and_filled_up(alice: Actor) -> None:
    def environment(*values: tuple[str, str, str]) -> ImportResult:
        listed = [{"key": key, "value": value, "type": kind} for key, value, kind in values]
        return import_text(json.dumps({"name": "Live", "values": listed, "_postman_variable_scope": "environment"}))

    first = save_import(alice, environment(("pin", "1-secret", "secret"), ("size", "5", "default")))
    assert [(saved.name, saved.added, saved.kept, saved.left_out) for saved in first.environments] == [
        ("Live", ("size",), (), ("pin",))
    ]
    second = save_import(
        alice, environment(("host", "https://l.example.com", "default"), ("size", "6", "default"), ("pin", "1-secret", "secret"))
    )
    assert [(saved.added, saved.kept, saved.left_out) for saved in second.environments] == [(("host", "pin"), ("size",), ())]
    stored = {row.name: (row.value, row.hosts) for row in list_variables(alice, second.environments[0].id)}
    assert stored == {"host": ("https://l.example.com", ()), "size": ("5", ()), "pin": (None, ("l.example.com",))}


def test_a_draft_that_cannot_be_stored_is_refused_by_itself(alice: Actor) -> None:
    result = read(2)
    long = result.drafts[0].definition.model_copy(update={"url": "https://x.example.com/" + "a" * 9_000})
    drafts = (result.drafts[0].model_copy(update={"definition": long}), result.drafts[1])
    summary = save_import(alice, ImportResult("openapi", drafts))
    assert [item.fate for item in summary.items] == [Fate.REFUSED, Fate.NEW]
    assert list(summary.items[0].problems) == ["url"]
    assert len(all_requests(alice)) == 1


def test_all_or_nothing_where_the_plan_has_too_little_room(alice: Actor) -> None:
    save_import(alice, read(3))
    with pytest.raises(PlanLimitReached) as refused:
        save_import(alice, read(LIMITS[Plan.FREE].saved_requests + 1))
    assert refused.value.shortage.used == 3
    db.session.rollback()
    assert len(all_requests(alice)) == 3
    save_import(alice, read(LIMITS[Plan.FREE].saved_requests))  # the first three are there already
    save_import(alice, read(3, description="New"))  # and what is there can always be brought up to date
    assert len(all_requests(alice)) == LIMITS[Plan.FREE].saved_requests


def test_one_event_tells_what_happened(alice: Actor) -> None:
    save_import(alice, read(3))
    save_import(alice, read(2, description="New"))
    events = db.session.scalars(sa.select(AuditLog).where(AuditLog.action == "request.import").order_by(AuditLog.id)).all()
    details = sorted((event.details["new"], event.details["updated"], event.details["gone"]) for event in events)
    assert details == [(0, 2, 1), (3, 0, 0)]


def test_drafts_without_an_origin_are_always_new(alice: Actor) -> None:
    draft = RequestDraft(name="Typed", definition=read(1).drafts[0].definition)
    assert fates(alice, ImportResult("har", (draft,))) == ["new"]
    assert fates(alice, ImportResult("har", (draft,))) == ["new"]
    assert [row.imported for row in all_requests(alice) if row.origin] == []


def test_a_thousand_operations_cost_few_statements(alice: Actor) -> None:
    give_plan(alice, Plan.PRO)
    result = read(1_000)
    with count_statements() as statements:
        save_import(alice, result)
    # An executemany counts as one a row.
    assert len([statement for statement in statements if not statement.startswith("INSERT INTO requests")]) < 10
    with count_statements() as statements:
        save_import(alice, read(1_000))
    assert len(statements) < 10
    with count_statements() as statements:
        save_import(alice, read(1_000, description="New"))
    assert len([statement for statement in statements if not statement.startswith("UPDATE requests")]) < 10
