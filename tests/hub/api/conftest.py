"""Programs with API keys, and a check of every answer against the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from werkzeug.test import TestResponse

from hub.accounts.api_keys import create_api_key
from hub.accounts.models import ApiKey
from hub.api.docs import build_document
from hub.contracts.actor import Actor
from hub.extensions import db
from tests.hub.instances.conftest import fake_n8n

__all__ = ["fake_n8n"]

Json = dict[str, Any]


def add_key(actor: Actor, *permissions: str, **columns: Any) -> str:
    """A key with exactly these permissions, and its text."""
    _key, text = create_api_key(actor, "Script", ["read"])
    row = db.session.query(ApiKey).filter_by(key_prefix=text[:12]).one()
    row.permissions = list(permissions)
    for name, value in columns.items():
        setattr(row, name, value)
    db.session.commit()
    return text


@dataclass
class Program:
    """Calls the API with one key and checks what comes back against the document."""

    client: FlaskClient
    spec: Json
    key: str | None

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        answer = self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)
        self.check(method, path.partition("?")[0], answer)
        return answer

    def get(self, path: str, **query: str) -> Json:
        answer = self.call("GET", path, query_string=query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def check(self, method: str, path: str, answer: TestResponse) -> None:
        """The status is documented, and the body has the type that the document gives for it."""
        operation = self._find(method, path)
        assert str(answer.status_code) in operation["responses"], f"{method} {path}: {answer.status_code} {answer.text}"
        content = operation["responses"][str(answer.status_code)].get("content", {})
        if not content:
            assert answer.data == b""
            return
        assert answer.mimetype in content
        schema = {**content[answer.mimetype]["schema"], "components": self.spec["components"]}
        OAS31Validator(schema, format_checker=OAS31Validator.FORMAT_CHECKER).validate(answer.json)

    def _find(self, method: str, path: str) -> Json:
        parts = f"/api/v1{path}".split("/")
        for template, methods in self.spec["paths"].items():
            wanted = template.split("/")
            fits = len(wanted) == len(parts) and all(a.startswith("{") or a == b for a, b in zip(wanted, parts, strict=True))
            if fits and method.lower() in methods:
                return methods[method.lower()]
        raise AssertionError(f"{method} {path} is not in the document")


@pytest.fixture
def spec(app: Flask, session: object) -> Json:
    with app.test_request_context():
        return build_document()


@pytest.fixture
def program_of(client: FlaskClient, spec: Json) -> Callable[..., Program]:
    """Makes a program of a person with a key that has these permissions."""

    def make(actor: Actor, *permissions: str) -> Program:
        return Program(client, spec, add_key(actor, *(permissions or ("read", "write"))))

    return make


@pytest.fixture
def program(program_of: Callable[..., Program], alice: Actor) -> Program:
    """Alice's, with a key that may do everything."""
    return program_of(alice)
