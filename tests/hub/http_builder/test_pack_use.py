"""Filling in a service's form: what is kept where, what is refused, and what the test of a key says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from hub.catalog.models import Template
from hub.catalog.services import PackOrigin, load_packs, store_packs
from hub.contracts.actor import Actor
from hub.contracts.catalog import ServicePack
from hub.errors import Invalid, NotFound
from hub.extensions import db
from hub.http_builder.environments import open_secret
from hub.http_builder.key_verdict import judge_key
from hub.http_builder.models import Request, RequestRun, RunState, Variable
from hub.http_builder.pack_use import preview_template, show_endpoint, show_service, try_key, use_template

KEY = "sk_test_51abcDEFghiJKL"
CUSTOMER = {
    "STRIPE_SECRET_KEY": KEY,
    "STRIPE_VERSION": "2026-09-30.endive",
    "CUSTOMER_EMAIL": "sara@example.com",
    "CUSTOMER_NAME": "Sara",
}


@pytest.fixture(autouse=True)
def packs(alice: Actor) -> None:
    load_packs()


def variables(actor: Actor) -> dict[str, Variable]:
    return {row.name: row for row in db.session.scalars(sa.select(Variable).where(Variable.user_id == actor.user_id))}


def use(actor: Actor, service: str, endpoint: str, form: dict[str, str], choice: str = "") -> Request:
    return use_template(actor, show_endpoint(actor, service, endpoint, choice), form)


def test_a_key_is_kept_once_for_the_service_and_goes_to_its_hosts(alice: Actor, bob: Actor) -> None:
    request = use(alice, "stripe", "create-customer", CUSTOMER)
    kept = variables(alice)
    key = kept["stripe.STRIPE_SECRET_KEY"]
    assert (key.scope, key.is_secret, key.value, key.hosts) == ("user", True, None, ["api.stripe.com"])
    assert open_secret(key) == KEY
    assert kept["stripe.STRIPE_VERSION"].value == "2026-09-30.endive"
    assert (request.service_id, request.endpoint_id, request.name) == ("stripe", "create-customer", "Stripe: Create Customer")
    assert KEY not in str(request.auth) + str(request.headers)
    assert request.auth["token"] == "{{stripe.STRIPE_SECRET_KEY}}"
    again = use(alice, "stripe", "list-charges", {"LIMIT": "5", "STRIPE_VERSION": ""})
    assert again.user_id == alice.user_id
    assert open_secret(variables(alice)["stripe.STRIPE_SECRET_KEY"]) == KEY
    assert variables(bob) == {}


def test_each_use_is_counted(alice: Actor) -> None:
    use(alice, "stripe", "create-customer", CUSTOMER)
    use(alice, "stripe", "create-customer", CUSTOMER)
    count = sa.select(Template.usage_count).where(Template.endpoint_id == "create-customer")
    assert db.session.scalar(count) == 2
    assert load_packs() == 0


def test_what_is_wrong_is_named_and_nothing_is_kept(alice: Actor) -> None:
    with pytest.raises(Invalid) as caught:
        use(alice, "stripe", "create-payment-intent", {"AMOUNT": "ten", "CURRENCY": "EUR"})
    assert set(caught.value.fields) == {"STRIPE_SECRET_KEY", "AMOUNT", "CURRENCY"}
    assert "1099" in caught.value.fields["AMOUNT"]
    assert variables(alice) == {}
    assert db.session.scalar(sa.select(sa.func.count(Request.id))) == 0


def test_a_preview_shows_the_request_and_keeps_nothing(alice: Actor) -> None:
    preview = preview_template(alice, show_endpoint(alice, "stripe", "create-customer"), CUSTOMER)
    assert preview.problems == ()
    assert (preview.method, preview.url) == ("POST", "https://api.stripe.com/v1/customers")
    assert preview.body == "email=sara%40example.com&name=Sara"
    assert KEY not in str(preview)
    assert variables(alice) == {}


def test_a_stored_key_serves_the_preview_of_another_request(alice: Actor) -> None:
    use(alice, "stripe", "create-customer", CUSTOMER)
    page = show_endpoint(alice, "stripe", "list-events")
    form = {field.variable.name: field.value for field in page.fields}
    assert form["STRIPE_SECRET_KEY"] == ""
    assert preview_template(alice, page, form).problems == ()


def hostile(host: str = "evil.example") -> ServicePack:
    """A pack that wants Stripe's key."""
    return ServicePack.model_validate(
        {
            "service_id": "evil",
            "service_name": "Evil",
            "category": "tests",
            "auth": {"type": "bearer", "token": "{{STRIPE_SECRET_KEY}}"},
            "variables": [{"name": "STRIPE_SECRET_KEY", "description": "Key", "secret": True}],
            "endpoints": [
                {"endpoint_id": "take", "endpoint_name": "Take", "method": "GET", "url_template": f"https://{host}/take"}
            ],
        }
    )


def test_another_service_never_gets_the_key(alice: Actor) -> None:
    use(alice, "stripe", "create-customer", CUSTOMER)
    store_packs([hostile()], drop_others=False, origins={"evil": PackOrigin("evil_plugin", False)})
    with pytest.raises(Invalid) as caught:
        use(alice, "evil", "take", {})
    assert set(caught.value.fields) == {"STRIPE_SECRET_KEY"}
    request = use(alice, "evil", "take", {"STRIPE_SECRET_KEY": "other"})
    assert request.auth["token"] == "{{evil.STRIPE_SECRET_KEY}}"
    assert variables(alice)["evil.STRIPE_SECRET_KEY"].hosts == ["evil.example"]
    assert open_secret(variables(alice)["stripe.STRIPE_SECRET_KEY"]) == KEY


def test_a_pack_that_changes_its_hosts_does_not_take_the_stored_key_there(alice: Actor) -> None:
    store_packs([hostile("api.good.example")], drop_others=False)
    use(alice, "evil", "take", {"STRIPE_SECRET_KEY": "mine"})
    store_packs([hostile("evil.example")], drop_others=False)
    use(alice, "evil", "take", {})
    assert variables(alice)["evil.STRIPE_SECRET_KEY"].hosts == ["api.good.example"]
    page = show_endpoint(alice, "evil", "take")
    assert [problem.code for problem in preview_template(alice, page, {}).problems] == ["secret-host"]


def test_testing_keeps_the_key_and_queues_the_test_request(alice: Actor) -> None:
    run = try_key(alice, "stripe", CUSTOMER)
    assert (run.state, run.url) == (RunState.QUEUED, "https://api.stripe.com/v1/balance")
    assert KEY not in str(run.definition)
    assert open_secret(variables(alice)["stripe.STRIPE_SECRET_KEY"]) == KEY
    with pytest.raises(Invalid):
        try_key(alice, "slack", {})


def test_unknown_services_are_not_found(alice: Actor) -> None:
    for call in (
        lambda: show_service(alice, "nothing"),
        lambda: show_endpoint(alice, "stripe", "nothing"),
        lambda: try_key(alice, "nothing", {}),
    ):
        with pytest.raises(NotFound):
            call()


@pytest.mark.parametrize(
    ("run", "tone", "title"),
    [
        ({"state": RunState.QUEUED}, "info", "Testing…"),
        ({"state": RunState.DONE, "status_code": 200, "passed": True}, "good", "The key works"),
        ({"state": RunState.DONE, "status_code": 401, "passed": False}, "bad", "The key does not work"),
        ({"state": RunState.DONE, "status_code": 403, "passed": False}, "bad", "The key may not do this"),
        ({"state": RunState.DONE, "status_code": 429, "passed": False}, "warn", "Not clear"),
        ({"state": RunState.DONE, "status_code": 502, "passed": False}, "warn", "Not clear"),
        ({"state": RunState.DONE, "status_code": 404, "passed": False}, "bad", "The test failed"),
        (
            {"state": RunState.DONE, "status_code": 200, "passed": False, "assertions": [{"subject": "body", "passed": False}]},
            "bad",
            "The key does not work",
        ),
        ({"state": RunState.INTERRUPTED}, "warn", "Not tested"),
        ({"state": RunState.CANCELED}, "info", "The test was canceled."),
    ],
)
def test_a_run_becomes_a_verdict(app: object, run: dict[str, object], tone: str, title: str) -> None:
    verdict = judge_key(RequestRun(**{"assertions": [], **run}))
    assert (verdict.tone, verdict.title, verdict.is_under_way) == (
        tone,
        title,
        tone == "info" and "status_code" not in run and "…" in title,
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            {"code": "not-ready", "details": {"problems": [{"place": "url", "code": "unresolved", "details": {"name": "SHOP"}}]}},
            "URL: ",
        ),
        ({"code": "token", "details": {"code": "expired", "details": {}}}, "took too long"),
        ({"code": "secret-lost", "details": {"name": "KEY_OF_MINE"}}, "KEY_OF_MINE"),
        (None, ""),
    ],
)
def test_a_run_that_was_not_sent_says_why(app: object, error: dict[str, object] | None, words: str) -> None:
    verdict = judge_key(RequestRun(state=RunState.REFUSED, error=error, assertions=[]))
    assert verdict.title == "Not tested"
    assert words in verdict.text


# --- Pages ---------------------------------------------------------------------------------------------------------


def test_the_pages_of_a_service(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    browser = browser_of(alice)
    page = browser.get("/templates/shopify").text
    assert "*.myshopify.com" in page
    assert "SHOPIFY_CLIENT_SECRET" in page
    assert "SHOPIFY_ACCESS_TOKEN" not in page
    assert "SHOPIFY_ACCESS_TOKEN" in browser.get("/templates/shopify?auth=access-token").text
    form = browser.get("/templates/stripe/create-customer").text
    assert 'name="STRIPE_SECRET_KEY" type="password"' in form
    assert browser.get("/templates/nothing").status_code == 404
    assert browser.get("/templates/stripe/nothing").status_code == 404


def test_a_form_comes_back_with_what_was_typed_but_no_secret(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    browser = browser_of(alice)
    answer = browser.post("/templates/stripe/create-customer", data={**CUSTOMER, "CUSTOMER_EMAIL": ""})
    assert answer.status_code == 422
    assert 'value="Sara"' in answer.text
    assert KEY not in answer.text
    preview = browser.post("/templates/stripe/create-customer", data={**CUSTOMER, "preview": "1"})
    assert preview.status_code == 200
    assert "email=sara%40example.com" in preview.text
    assert KEY not in preview.text


def test_use_opens_the_request(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    answer = browser_of(alice).post("/templates/stripe/create-customer", data=CUSTOMER)
    assert answer.status_code == 303
    request = db.session.scalar(sa.select(Request).where(Request.user_id == alice.user_id))
    assert request.id in answer.location


def test_a_key_test_shows_its_verdict_to_its_owner_only(
    alice: Actor, bob: Actor, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    answer = browser_of(alice).post("/templates/stripe", data=CUSTOMER)
    assert answer.status_code == 303
    assert "Testing…" in browser_of(alice).get(answer.location).text
    assert "Testing…" not in browser_of(bob).get(answer.location).text
    run = db.session.scalar(sa.select(RequestRun).where(RequestRun.user_id == alice.user_id))
    run.state, run.status_code, run.passed = RunState.DONE, 200, True
    db.session.commit()
    part = browser_of(alice).get(answer.location, headers={"HX-Request": "true"}).text
    assert "The key works" in part
    assert "<html" not in part
    assert browser_of(alice).post("/templates/slack", data={}).status_code == 422


def test_a_third_partys_pack_says_so(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    store_packs([hostile()], drop_others=False, origins={"evil": PackOrigin("evil_plugin", False)})
    for path in ("/templates", "/templates/evil", "/templates/evil/take"):
        assert "evil_plugin" in browser_of(alice).get(path).text
