from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from hub.accounts.api_keys import PERMISSIONS
from hub.api.docs import list_operations
from hub.columns import utc_now
from hub.contracts.actor import Actor
from tests.hub.api.conftest import Json, Program, add_key


def scope_of(operation: Json) -> str:
    """What a key needs for an operation: a permission, or something that no key has."""
    return next((way["apiKey"][0] for way in operation["security"] if "apiKey" in way), "account:person")


def calls(spec: Json) -> list[tuple[str, str, str]]:
    """(method, path with a made-up id in it, scope) of every operation that is not open to anybody."""
    found = []
    for path, method, operation in list_operations(spec):
        if operation["security"] == []:
            continue
        filled = path.removeprefix("/api/v1").replace("{suggestion_index}", "0")
        for parameter in operation["parameters"]:
            filled = filled.replace("{" + parameter["name"] + "}", "cnone")
        found.append((method.upper(), filled, scope_of(operation)))
    return found


def test_the_document_is_valid_openapi_3_1(spec: Json) -> None:
    assert spec["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(spec).iter_errors()) == []
    identifiers = [operation["operationId"] for _path, _method, operation in list_operations(spec)]
    assert len(identifiers) == len(set(identifiers)) >= 24


def test_every_operation_has_words_a_scope_that_keys_can_have_and_documented_errors(spec: Json) -> None:
    for path, method, operation in list_operations(spec):
        assert len(operation["summary"]) > 10, path
        assert scope_of(operation) in (*PERMISSIONS, "account:person")
        assert {"401", "403", "422"} <= set(operation["responses"]), (method, path)
        assert ("404" in operation["responses"]) or "{" not in path, (method, path)


def test_document_and_page_are_open_and_need_no_other_host(client: FlaskClient, session: object) -> None:
    assert client.get("/api/v1/openapi.json").json["info"]["title"] == "AI-HTTP Hub API"
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "/api/v1/instances/{instance_id}" in page.text
    assert " style=" not in page.text
    assert 'src="http' not in page.text


def test_nothing_answers_without_a_valid_key(
    client: FlaskClient, browser_of: Callable[[Actor], FlaskClient], spec: Json, alice: Actor
) -> None:
    bad_keys = [
        None,
        "",
        "hub_unknown_key",
        add_key(alice, "read", "write", is_revoked=True),
        add_key(alice, "read", "write", expires_at=utc_now() - dt.timedelta(seconds=1)),
    ]
    for method, path, _scope in calls(spec):
        for key in bad_keys:
            answer = Program(client, spec, key).call(method, path)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_session_cookie_is_no_key(browser_of: Callable[[Actor], FlaskClient], spec: Json, alice: Actor) -> None:
    for method, path, _scope in calls(spec):
        assert Program(browser_of(alice), spec, None).call(method, path).status_code == 401


def lacks_permission(answer: TestResponse) -> bool:
    """Whether it is the key that was refused; its owner may be no operator."""
    return answer.status_code == 403 and "Only operators" not in answer.json["detail"]


def test_a_key_without_the_scope_is_refused_before_anything_is_looked_at(
    program_of: Callable[..., Program], spec: Json, alice: Actor
) -> None:
    everything = [scope for scope in PERMISSIONS if ":" in scope]
    for method, path, scope in calls(spec):
        others = [other for other in everything if other != scope]
        answer = program_of(alice, *others).call(method, path, json={})
        assert answer.status_code == 403, (method, path)
        if scope == "account:person":
            continue
        assert scope in answer.json["detail"]
        assert not lacks_permission(program_of(alice, scope).call(method, path))


@pytest.mark.parametrize("permission", ["read", "write"])
def test_a_broad_permission_stands_for_all_scopes_of_its_kind(
    program_of: Callable[..., Program], spec: Json, alice: Actor, permission: str
) -> None:
    program = program_of(alice, permission)
    for method, path, scope in calls(spec):
        assert lacks_permission(program.call(method, path)) is not scope.endswith(permission), (method, path)
