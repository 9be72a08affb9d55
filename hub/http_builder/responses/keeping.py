"""From a node of an answer to a test or a variable of its request."""

from __future__ import annotations

from hub.contracts.actor import Actor
from hub.contracts.http import Assertion, Comparison, Extraction, RequestDefinition
from hub.errors import NotFound
from hub.http_builder import services
from hub.http_builder.definitions import definition_of
from hub.http_builder.models import Request, RequestRun
from hub.http_builder.responses.bodies import Node


def assertion_of(node: Node) -> Assertion:
    """The test that the node is what it is now, or where that is too much to compare, that it is there."""
    comparison, expected = (Comparison.EQUALS, node.text) if node.can_equal else (Comparison.EXISTS, "")
    return Assertion(subject="body", path=node.path, comparison=comparison, expected=expected)


def extraction_of(node: Node, variable: str, *, secret: bool) -> Extraction:
    """What puts the node's value into a variable in every later run; whether that is a name for one is seen when it is saved."""
    return Extraction(variable=variable.strip(), source="body", path=node.path, secret=secret)


def add_assertion(actor: Actor, request_id: str, node: Node) -> Request:
    """Add the node's test to the saved request."""
    return _add(actor, request_id, assertions=(assertion_of(node),))


def add_extraction(actor: Actor, request_id: str, node: Node, variable: str, *, secret: bool) -> Request:
    """Let every later run of the saved request fill a variable. ``Invalid`` where that is no name for one."""
    return _add(actor, request_id, extractions=(extraction_of(node, variable, secret=secret),))


def is_as_saved(actor: Actor, run: RequestRun) -> bool:
    """Whether what was sent is the saved request as it stands now, its tests and extractions aside."""
    try:
        saved = definition_of(services.get_request(actor, run.request_id or ""))
    except NotFound:  # never saved, or deleted
        return True
    sent = RequestDefinition.model_validate(run.definition)
    aside = {"assertions": (), "extractions": ()}
    return sent.model_copy(update=aside) == saved.model_copy(update=aside)


def _add(
    actor: Actor, request_id: str, *, assertions: tuple[Assertion, ...] = (), extractions: tuple[Extraction, ...] = ()
) -> Request:
    draft = services.draft_of(services.get_request(actor, request_id))
    definition = draft.definition
    more = {
        "assertions": (*definition.assertions, *assertions),
        "extractions": (*definition.extractions, *extractions),
    }
    draft = draft.model_copy(update={"definition": definition.model_copy(update=more)})
    return services.update_request(actor, request_id, draft)
