"""Every request of every bundled pack, filled in with its examples, can be sent: nothing is missing, every secret may go."""

from __future__ import annotations

import json

import pytest

from hub.catalog.filling import example_values, make_draft, name_of_variable, variables_of
from hub.contracts.catalog import EndpointTemplate, ServicePack
from hub.http_builder.rendering import Preview, Scope, Value, Values, preview_definition
from tests.plugins.services.test_service_packs_document import PACKS

REQUESTS = [
    (pack, endpoint, choice)
    for pack in PACKS
    for choice in ("", *(other.choice_id for other in pack.other_auth))
    for endpoint in pack.endpoints
]
SECRET = "s3cret-of-a-test"


def fill(pack: ServicePack, endpoint: EndpointTemplate, choice: str) -> Preview:
    typed = example_values(pack, endpoint)
    variables = variables_of(pack, endpoint, choice)
    typed |= {variable.name: SECRET for variable in variables if variable.secret}
    draft = make_draft(pack, endpoint, typed, choice)
    common = {variable.name: variable for variable in pack.variables}
    values = [
        Value(name_of_variable(pack.service_id, name), typed[name], each.secret, pack.hosts if each.secret else (), Scope.USER)
        for name, each in common.items()
    ]
    return preview_definition(draft.definition, Values(values).with_variables_of(draft.definition), files={})


@pytest.mark.parametrize(
    ("pack", "endpoint", "choice"),
    REQUESTS,
    ids=[f"{pack.service_id}-{endpoint.endpoint_id}-{choice}" for pack, endpoint, choice in REQUESTS],
)
def test_a_request_with_its_examples_is_ready(pack: ServicePack, endpoint: EndpointTemplate, choice: str) -> None:
    preview = fill(pack, endpoint, choice)
    assert [problem for problem in preview.problems if problem.code != "file-not-chosen"] == []
    assert SECRET not in str(preview)
    assert preview.url.startswith("https://")
    assert "%25" not in preview.url  # encoded twice
    if endpoint.body.kind in ("json", "graphql"):
        json.loads(preview.body or "")
