"""Generated calls of every operation, good and bad, against the document: no 5xx, and no answer that it does not describe.

``HUB_SCHEMATHESIS_EXAMPLES=100`` makes a longer run of it; the examples of one number are always the same.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask, g
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.accounts.actors import Client
from hub.accounts.api_clients import become_program
from hub.accounts.sessions import open_session
from hub.contracts.actor import Actor
from hub.extensions import db
from tests.security.estate import build_estate

EXAMPLES = int(os.environ.get("HUB_SCHEMATHESIS_EXAMPLES", "3"))
#: Operations that ask an n8n. Nothing listens where the estate's would be, and 503 is what the document says of that.
ASKS_N8N = {"undoN8nSave", "saveRequestToN8n", "previewSaveToN8n"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
repeatable = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def undone(session: object) -> Callable[[Callable[[], Any]], Any]:
    """Calls something and takes back what it wrote, so that each example meets the same hub."""

    def call(function: Callable[[], Any]) -> Any:
        vars(g._get_current_object()).clear()
        before = db.engines[None].begin_nested()  # type: ignore[attr-defined]
        try:
            return function()
        finally:
            db.session.remove()
            before.rollback()

    return call


def operations(app: Flask) -> Iterator[Any]:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    for result in schema.get_all_operations():
        yield result.ok()


def test_generated_calls_find_nothing_that_the_document_does_not_say(
    app: Flask, alice: Actor, undone: Callable[[Callable[[], Any]], Any]
) -> None:
    ids = build_estate(alice)
    token = become_program(open_session(str(alice.user_id), Client(via="api"))).access_token
    headers = {"Authorization": f"Bearer {token}"}
    found: dict[str, str] = {}
    statuses: Counter[int] = Counter()

    def try_case(case: Any) -> None:
        case.path_parameters = {name: ids.get(name, value) for name, value in (case.path_parameters or {}).items()}
        answer = undone(lambda: case.call(headers=headers))
        statuses[answer.status_code] += 1
        silent = answer.status_code == 503 and case.operation.definition.raw["operationId"] in ASKS_N8N
        try:
            case.validate_response(answer, checks=CHECKS[1:] if silent else CHECKS, headers=headers)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                found.setdefault(f"{case.operation.label}: {failure.title}, {answer.status_code}", str(failures))

    for operation in operations(app):
        for mode in GenerationMode:
            repeatable(given(operation.as_strategy(generation_mode=mode))(try_case))()
    assert not found, "\n\n".join(found.values())
