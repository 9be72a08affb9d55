from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.errors import Invalid, NotFound
from hub.http_builder.environments import (
    VariableDraft,
    activate_environment,
    create_environment,
    create_variable,
    delete_environment,
    get_variable,
    list_environments,
    list_variables,
    open_secret,
    parse_hosts,
    rename_environment,
    save_secret,
    update_variable,
)
from hub.http_builder.models import Variable
from hub.http_builder.running import values_for

Session = sa.orm.scoped_session[sa.orm.Session]
BrowserOf = Callable[[Actor], FlaskClient]


def secret(value: str = "s3cret-value", *hosts: str) -> VariableDraft:
    return VariableDraft("TOKEN", value, is_secret=True, hosts=hosts or ("api.example.com",))


def fields_of(error: pytest.ExceptionInfo[Invalid]) -> set[str]:
    return set(error.value.fields)


def test_one_environment_at_most_is_active(alice: Actor, session: Session) -> None:
    first, second = create_environment(alice, " Staging "), create_environment(alice, "Production")
    assert [(row.name, row.active) for row in list_environments(alice)] == [("Production", False), ("Staging", True)]
    activate_environment(alice, second.id)
    session.expire_all()
    assert (first.active, second.active) == (False, True)
    activate_environment(alice, None)
    session.expire_all()
    assert not second.active
    rename_environment(alice, first.id, "Test")
    with pytest.raises(Invalid) as taken:
        rename_environment(alice, first.id, "Production")
    assert fields_of(taken) == {"name"}
    delete_environment(alice, second.id)
    actions = session.scalars(sa.select(AuditLog.action).order_by(AuditLog.created_at)).all()
    assert set(actions) == {f"environment.{verb}" for verb in ("create", "activate", "rename", "delete")}


def test_a_name_is_taken_once_in_its_place(alice: Actor, bob: Actor, session: Session) -> None:
    environment = create_environment(alice, "Staging")
    create_environment(bob, "Staging")
    with pytest.raises(Invalid):
        create_environment(alice, "Staging")
    create_variable(alice, None, VariableDraft("A", "1"))
    create_variable(alice, environment.id, VariableDraft("A", "2"))
    with pytest.raises(Invalid, match="already"):
        create_variable(alice, None, VariableDraft("A", "3"))
    assert [row.value for row in list_variables(alice, None)] == ["1"]


@pytest.mark.parametrize(
    ("draft", "wrong"),
    [
        (VariableDraft("", "x"), {"name"}),
        (VariableDraft("1A", "x"), {"name"}),
        (VariableDraft("A B", "x"), {"name"}),
        (VariableDraft("A" * 121, "x"), {"name"}),
        (VariableDraft("A", "x" * 50_001), {"value"}),
        (VariableDraft("A", "x", is_secret=True), {"hosts"}),
        (VariableDraft("A", "", is_secret=True, hosts=("a.example",)), {"value"}),
        (VariableDraft("A", "x", is_secret=True, hosts=("https://a.example/path",)), {"hosts"}),
        (VariableDraft("A", "x", is_secret=True, hosts=tuple(f"h{number}.example" for number in range(21))), {"hosts"}),
    ],
)
def test_wrong_variables_are_named(alice: Actor, session: Session, draft: VariableDraft, wrong: set[str]) -> None:
    with pytest.raises(Invalid) as error:
        create_variable(alice, None, draft)
    assert fields_of(error) == wrong
    assert session.scalars(sa.select(Variable)).all() == []


def test_a_secret_is_written_and_never_read(alice: Actor, session: Session) -> None:
    variable = create_variable(alice, None, secret())
    [row] = list_variables(alice, None)
    assert (row.value, row.is_secret, row.is_lost, row.hosts) == (None, True, False, ("api.example.com",))
    stored = session.execute(sa.select(Variable.__table__)).mappings().one()
    assert "s3cret-value" not in repr(dict(stored))
    update_variable(alice, variable.id, VariableDraft("KEY", "", is_secret=True, hosts=("api.example.com",), description="d"))
    assert (variable.name, open_secret(variable)) == ("KEY", "s3cret-value")
    events = session.scalars(sa.select(AuditLog.details)).all()
    assert "s3cret-value" not in repr(events)


@pytest.mark.parametrize(
    "draft",
    [
        VariableDraft("TOKEN", "", is_secret=True, hosts=("api.example.com", "evil.example")),
        VariableDraft("TOKEN", "", is_secret=False),
    ],
)
def test_a_stored_secret_goes_nowhere_else_without_being_typed_again(
    alice: Actor, session: Session, draft: VariableDraft
) -> None:
    variable = create_variable(alice, None, secret())
    with pytest.raises(Invalid) as error:
        update_variable(alice, variable.id, draft)
    assert fields_of(error) == {"value"}
    assert open_secret(variable) == "s3cret-value"
    assert variable.hosts == ["api.example.com"]


def test_plain_becomes_secret_and_a_typed_value_becomes_plain(alice: Actor, session: Session) -> None:
    variable = create_variable(alice, None, VariableDraft("A", "once-plain"))
    update_variable(alice, variable.id, VariableDraft("A", "", is_secret=True, hosts=("a.example",)))
    assert (open_secret(variable), variable.value) == ("once-plain", None)
    update_variable(alice, variable.id, VariableDraft("A", "plain"))
    assert (variable.value, variable.secret_value, variable.hosts) == ("plain", None, [])


def test_an_envelope_opens_in_its_own_row_only(alice: Actor, session: Session) -> None:
    one = create_variable(alice, None, secret("first-secret"))
    other = create_variable(alice, None, VariableDraft("OTHER", "second-secret", is_secret=True, hosts=("evil.example",)))
    other.secret_value = one.secret_value
    session.flush()
    assert {row.name: row.is_lost for row in list_variables(alice, None)} == {"OTHER": True, "TOKEN": False}


def test_what_is_somebody_elses_is_not_found(alice: Actor, bob: Actor, session: Session) -> None:
    environment = create_environment(alice, "Staging")
    variable = create_variable(alice, environment.id, VariableDraft("A", "1"))
    for attempt in (
        lambda: list_variables(bob, environment.id),
        lambda: create_variable(bob, environment.id, VariableDraft("B", "1")),
        lambda: update_variable(bob, variable.id, VariableDraft("A", "2")),
        lambda: activate_environment(bob, environment.id),
        lambda: delete_environment(bob, environment.id),
        lambda: save_secret(bob, "none", "A", "x", ("a.example",)),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert list(values_for(bob, None, environment.id)) == []


def test_values_come_in_one_query(alice: Actor, session: Session) -> None:
    from tests.hub.statements import count_statements

    environment = create_environment(alice, "Staging")
    create_variable(alice, environment.id, VariableDraft("A", "staging"))
    create_variable(alice, None, VariableDraft("A", "own"))
    save_secret(alice, None, "B", "hidden-value", ("b.example",))
    session.commit()
    with count_statements() as statements:
        values = values_for(alice)
    assert len(statements) == 1
    assert {value.name: (value.text, value.secret, value.hosts) for value in values} == {
        "A": ("staging", False, ()),
        "B": ("hidden-value", True, ("b.example",)),
    }


def test_hosts_are_read_as_people_type_them() -> None:
    assert parse_hosts(" a.example, *.b.example\nc.example:8443; ") == ("a.example", "*.b.example", "c.example:8443")


def test_the_pages_keep_what_was_typed_and_show_no_secret(alice: Actor, browser_of: BrowserOf, session: Session) -> None:
    browser = browser_of(alice)
    assert "No variables here" in browser.get("/environments").text
    made = browser.post("/environments", data={"name": "Staging"})
    place = made.headers["Location"]
    assert browser.post("/environments", data={"name": "Staging"}).status_code == 422
    environment_id = place.rpartition("/")[2]
    form = {
        "environment": environment_id,
        "name": "TOKEN",
        "value": "s3cret-value",
        "is_secret": "1",
        "description": "Kept words",
    }
    wrong = browser.post("/environments/variables", data=form)
    assert wrong.status_code == 422
    assert "Kept words" in wrong.text
    assert "s3cret-value" not in wrong.text
    saved = browser.post("/environments/variables", data={**form, "hosts": "api.example.com"}, follow_redirects=True)
    assert "Secret, set" in saved.text
    [row] = list_variables(alice, environment_id)
    page = browser.get(f"/environments/variables/{row.id}")
    assert "api.example.com" in page.text
    assert "s3cret-value" not in saved.text + page.text
    kept = {"name": "KEY", "value": "", "is_secret": "1", "hosts": "api.example.com"}
    assert browser.post(f"/environments/variables/{row.id}", data=kept).status_code == 303
    assert open_secret(get_variable(alice, row.id)) == "s3cret-value"
    assert browser.post(f"/environments/variables/{row.id}", data={**kept, "hosts": "evil.example"}).status_code == 422
    assert browser.post(f"{place}/rename", data={"name": ""}).status_code == 422
    for action in ("activate", "rename", "delete"):
        assert browser.post(f"{place}/{action}", data={"name": "Test"}).status_code == 303
    assert browser.post("/environments/deactivate").status_code == 303
    assert list_environments(alice) == []
