from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import current_app

from hub.audit.models import AuditLog
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.catalog import HttpMethod
from hub.contracts.http import (
    BasicAuth,
    BearerAuth,
    JsonBody,
    MultipartBody,
    MultipartPart,
    OAuth2ClientCredentials,
    Pair,
    RequestDefinition,
    RequestDraft,
)
from hub.errors import Invalid, NotFound
from hub.extensions import db
from hub.http_builder import services
from hub.http_builder.definitions import definition_of
from hub.http_builder.files import MAX_FILE, store_file
from hub.http_builder.models import Request, RequestRun, RunState, Variable
from hub.http_builder.services import Order, Outdated, SecretChange

URL = "https://api.example.com/orders"


def make_draft(name: str = "List orders", url: str = URL, **fields: object) -> RequestDraft:
    definition = {key: fields.pop(key) for key in list(fields) if key in RequestDefinition.model_fields}
    return RequestDraft(name=name, definition=RequestDefinition(url=url, **definition), **fields)  # type: ignore[arg-type]


def opened(variable: Variable) -> str:
    vault = current_app.extensions["hub_vault"]
    return str(vault.decrypt(variable.secret_value, binding=f"variables.secret_value:{variable.id}"))


def actions(request: Request) -> list[str]:
    return list(db.session.scalars(sa.select(AuditLog.action).where(AuditLog.resource_id == request.id)))


def names(page: object) -> list[str]:
    return [row.name for row in page.rows]  # type: ignore[attr-defined]


def test_a_request_comes_back_as_it_was_saved(alice: Actor) -> None:
    draft = make_draft(
        method=HttpMethod.POST,
        headers=(Pair(name="X-A", value="1"), Pair(name="X-A", value="2", enabled=False)),
        body=JsonBody(text='{"a": {{A}}}'),
        description="All of them",
        folder=" Shop / Orders/",
        tags=("new", " new", "", "shop"),
    )
    request = services.create_request(alice, draft)
    found = services.get_request(alice, request.id)
    assert definition_of(found) == draft.definition
    assert (found.folder, found.tags, found.description) == ("Shop/Orders", ["new", "shop"], "All of them")
    assert actions(found) == ["request.create"]


def test_a_literal_secret_never_reaches_the_definition(alice: Actor) -> None:
    request = services.create_request(alice, make_draft(auth=BearerAuth(token="sk_live_1")))
    assert definition_of(request).auth == BearerAuth(token="{{TOKEN}}")
    [secret] = services.list_request_secrets(alice, request.id)
    assert (secret.name, opened(secret), secret.hosts) == ("TOKEN", "sk_live_1", ["api.example.com"])
    assert secret.scope == f"request:{request.id}"
    stored = db.session.execute(sa.text("SELECT * FROM requests")).all()
    assert "sk_live_1" not in repr(stored)


def test_a_literal_secret_in_a_header_is_lifted_with_its_scheme_left(alice: Actor) -> None:
    headers = (
        Pair(name="Authorization", value="Bot abc.def"),
        Pair(name="X-Api-Key", value="k-1"),
        Pair(name="X-Auth-Token", value="{{MINE}}"),
        Pair(name="Accept", value="*/*"),
    )
    request = services.create_request(alice, make_draft(headers=headers))
    assert [row.value for row in definition_of(request).headers] == ["Bot {{TOKEN}}", "{{X_API_KEY}}", "{{MINE}}", "*/*"]
    assert {row.name: opened(row) for row in services.list_request_secrets(alice, request.id)} == {
        "TOKEN": "abc.def",
        "X_API_KEY": "k-1",
    }


def test_an_oauth_secret_is_bound_to_the_tokens_host_and_the_targets(alice: Actor) -> None:
    auth = OAuth2ClientCredentials(token_url="https://login.example.org:8443/token", client_id="c", client_secret="s3cret")
    request = services.create_request(alice, make_draft(auth=auth))
    assert services.list_request_secrets(alice, request.id)[0].hosts == ["login.example.org:8443", "api.example.com"]


def test_a_placeholder_as_host_binds_to_nothing(alice: Actor) -> None:
    request = services.create_request(alice, make_draft(url="https://{{SHOP}}.example.com/x", auth=BearerAuth(token="t")))
    assert services.list_request_secrets(alice, request.id)[0].hosts == []


def test_a_new_value_replaces_the_secret_that_stood_there(alice: Actor) -> None:
    request = services.create_request(alice, make_draft(auth=BasicAuth(username="maya", password="one")))
    services.update_request(alice, request.id, make_draft(auth=BasicAuth(username="maya", password="two")))
    [secret] = services.list_request_secrets(alice, request.id)
    assert (secret.name, opened(secret)) == ("PASSWORD", "two")


def test_a_stored_secret_goes_to_a_further_host_only_with_its_value(alice: Actor) -> None:
    request = services.create_request(alice, make_draft(auth=BearerAuth(token="t")))
    draft = services.draft_of(request)
    both = ("api.example.com", "*.example.org")
    with pytest.raises(Invalid) as caught:
        services.update_request(alice, request.id, draft, secrets=[SecretChange("TOKEN", hosts=both)])
    assert set(caught.value.fields) == {"secrets"}
    db.session.rollback()
    services.update_request(alice, request.id, draft, secrets=[SecretChange("TOKEN", "t2", hosts=both)])
    assert services.list_request_secrets(alice, request.id)[0].hosts == list(both)
    services.update_request(alice, request.id, draft, secrets=[SecretChange("TOKEN", hosts=())])
    assert services.list_request_secrets(alice, request.id)[0].hosts == []
    services.update_request(alice, request.id, draft, secrets=[SecretChange("TOKEN", removed=True)])
    assert services.list_request_secrets(alice, request.id) == []


@pytest.mark.parametrize("host", ["a b", "https://a.example", "a/b", "*", "a*.example.com"])
def test_a_host_that_is_none_is_named(alice: Actor, host: str) -> None:
    with pytest.raises(Invalid) as caught:
        services.create_request(alice, make_draft(), secrets=[SecretChange("K", "v", hosts=(host,))])
    assert host in caught.value.fields["secrets"]


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (make_draft(name="  "), "name"),
        (make_draft(name="x" * 201), "name"),
        (make_draft(url="https://a.example/" + "x" * 8192), "url"),
        (make_draft(body=JsonBody(text="é" * 500_001)), "body"),
        (make_draft(headers=(Pair(name="a"),) * 201), "headers"),
        (make_draft(params=(Pair(name="a", value="x" * 20_001),)), "params"),
        (make_draft(folder="x" * 201), "folder"),
        (make_draft(tags=tuple(str(number) for number in range(21))), "tags"),
        (make_draft(variables=(Pair(name="1A"),)), "variables"),
        (make_draft(variables=(Pair(name="A"), Pair(name="A"))), "variables"),
        (make_draft(variables=(Pair(name="A"),), secrets={"A": "x"}), "variables"),
        (make_draft(secrets={"a b": "x"}), "secrets"),
    ],
)
def test_what_is_too_long_or_misnamed_is_refused_by_its_field(alice: Actor, draft: RequestDraft, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        services.create_request(alice, draft)
    assert list(caught.value.fields) == [field]


def test_a_save_that_only_spells_what_was_stored_is_recorded_too(alice: Actor) -> None:
    """What is written is recorded, though it says the same: the version alone would not show it."""
    request = Request(user_id=alice.user_id, name="Orders", method=HttpMethod.GET, url=URL, settings={})
    db.session.add(request)
    db.session.commit()
    version = services.version_of(request)
    services.update_request(alice, request.id, services.draft_of(request))
    assert services.version_of(request) == version
    assert actions(request) == ["request.update"]
    services.update_request(alice, request.id, services.draft_of(request))
    assert actions(request) == ["request.update"]


def test_a_save_over_a_newer_state_is_refused(alice: Actor) -> None:
    request = services.create_request(alice, make_draft())
    opened_version = services.version_of(request)
    services.update_request(alice, request.id, make_draft(name="First"), version=opened_version)
    with pytest.raises(Outdated) as caught:
        services.update_request(alice, request.id, make_draft(name="Second"), version=opened_version)
    assert caught.value.current.name == "First"
    services.update_request(alice, request.id, make_draft(name="Second"), version=services.version_of(caught.value.current))
    assert services.get_request(alice, request.id).name == "Second"


def test_being_sent_or_marked_makes_no_save_outdated(alice: Actor) -> None:
    request = services.create_request(alice, make_draft())
    version, changed = services.version_of(request), request.updated_at
    request.last_used, request.usage_count = utc_now(), 3
    services.arrange_request(alice, request.id, favorite=True)
    assert (services.version_of(request), request.updated_at) == (version, changed)


def test_a_copy_has_the_secrets_under_keys_of_its_own(alice: Actor) -> None:
    source = services.create_request(alice, make_draft(auth=BearerAuth(token="t-1")))
    copy = services.duplicate_request(alice, source.id)
    assert (copy.name, copy.id == source.id) == ("List orders (copy)", False)
    [secret] = services.list_request_secrets(alice, copy.id)
    assert (opened(secret), secret.hosts) == ("t-1", ["api.example.com"])


def test_a_deleted_request_comes_back(alice: Actor) -> None:
    request = services.create_request(alice, make_draft())
    services.delete_request(alice, request.id)
    with pytest.raises(NotFound):
        services.get_request(alice, request.id)
    assert services.list_requests(alice).rows == []
    services.restore_request(alice, request.id)
    assert names(services.list_requests(alice)) == ["List orders"]
    assert actions(request) == ["request.create", "request.delete", "request.restore"]


def test_only_what_was_deleted_long_ago_is_removed(alice: Actor) -> None:
    old, new, kept = (services.create_request(alice, make_draft(name)) for name in ("old", "new", "kept"))
    services.delete_request(alice, old.id)
    services.delete_request(alice, new.id)
    assert services.remove_deleted_requests(utc_now() + services.KEEP_DELETED - dt.timedelta(hours=1)) == 0
    new.deleted_at = utc_now() + dt.timedelta(hours=2)
    db.session.flush()
    assert services.remove_deleted_requests(utc_now() + services.KEEP_DELETED + dt.timedelta(hours=1)) == 1
    assert set(db.session.scalars(sa.select(Request.name))) == {"new", kept.name}


def test_a_stranger_finds_nothing(alice: Actor, bob: Actor) -> None:
    request = services.create_request(alice, make_draft(auth=BearerAuth(token="t")))
    for attempt in (
        lambda: services.get_request(bob, request.id),
        lambda: services.list_request_secrets(bob, request.id),
        lambda: services.update_request(bob, request.id, make_draft()),
        lambda: services.arrange_request(bob, request.id, favorite=True),
        lambda: services.duplicate_request(bob, request.id),
        lambda: services.delete_request(bob, request.id),
        lambda: services.restore_request(bob, request.id),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert services.list_requests(bob).rows == []
    assert (services.list_folders(bob), services.list_tags(bob)) == ([], [])


def test_a_strangers_file_is_no_file(alice: Actor, bob: Actor) -> None:
    file = store_file(alice, name="../a.txt", media_type="text/plain", content=b"x")
    assert file.name == "a.txt"
    body = MultipartBody(parts=(MultipartPart(name="f", is_file=True, file_id=file.id),))
    services.create_request(alice, make_draft(body=body))
    with pytest.raises(Invalid) as caught:
        services.create_request(bob, make_draft(body=body))
    assert list(caught.value.fields) == ["multipart"]


def test_a_file_beyond_ten_megabytes_is_refused(alice: Actor) -> None:
    with pytest.raises(Invalid):
        store_file(alice, name="a", media_type="", content=bytes(MAX_FILE + 1))


def test_the_list_filters_and_searches(alice: Actor) -> None:
    make = services.create_request
    make(alice, make_draft("Orders", folder="Shop/Orders", tags=("new", "طلبات"), description="All of them"))
    make(alice, make_draft("Pay", url="https://pay.example.com/100%", method=HttpMethod.POST, folder="Shop"), service_id="stripe")
    third = make(alice, make_draft("Ping", folder="Shopping"))
    services.arrange_request(alice, third.id, favorite=True)
    assert set(names(services.list_requests(alice, search="orders"))) == {"Orders", "Ping"}  # the URL of Ping holds the word
    assert names(services.list_requests(alice, search="THEM all")) == ["Orders"]
    assert names(services.list_requests(alice, search="طلبا")) == ["Orders"]
    assert names(services.list_requests(alice, search="100%")) == ["Pay"]
    assert names(services.list_requests(alice, search="_")) == []
    assert names(services.list_requests(alice, method=HttpMethod.POST)) == ["Pay"]
    assert set(names(services.list_requests(alice, folder="Shop"))) == {"Orders", "Pay"}
    assert names(services.list_requests(alice, tag="new")) == ["Orders"]
    assert names(services.list_requests(alice, tag="ne")) == []
    assert names(services.list_requests(alice, favorite=True)) == ["Ping"]
    assert names(services.list_requests(alice, service="stripe")) == ["Pay"]
    assert services.list_folders(alice) == [("Shop", 2), ("Shop/Orders", 1), ("Shopping", 1)]
    assert services.list_tags(alice) == [("new", 1), ("طلبات", 1)]


@pytest.mark.parametrize("order", Order)
def test_pages_follow_each_other_without_a_gap(alice: Actor, order: Order) -> None:
    for number in range(7):
        request = services.create_request(alice, make_draft(f"r{number}"))
        request.last_used = utc_now() - dt.timedelta(minutes=number) if number % 2 else None
    db.session.commit()
    seen, cursor = [], None
    while True:
        page = services.list_requests(alice, order=order, cursor=cursor, limit=3)
        seen += names(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == [f"r{number}" for number in range(7)]
    assert seen[:3] == (["r6", "r5", "r4"] if order is Order.CHANGED else ["r1", "r3", "r5"])


def test_a_row_tells_its_newest_run(alice: Actor) -> None:
    request = services.create_request(alice, make_draft())
    assert services.list_requests(alice).rows[0].run_state is None
    for minutes, status in ((2, 500), (1, 200), (3, 404)):
        run = RequestRun(user_id=alice.user_id, request_id=request.id, name="x", method=HttpMethod.GET, url=URL)
        run.definition, run.state, run.status_code = {}, RunState.DONE, status
        run.created_at = utc_now() - dt.timedelta(minutes=minutes)
        db.session.add(run)
    db.session.flush()
    [row] = services.list_requests(alice).rows
    assert (row.run_state, row.status_code) == (RunState.DONE, 200)
