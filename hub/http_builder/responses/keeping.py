"""From a node of an answer to a test or a variable of its request."""

from __future__ import annotations

from hub.contracts.actor import Actor
from hub.contracts.http import Assertion, Comparison, Extraction
from hub.http_builder import services
from hub.http_builder.models import Request
from hub.http_builder.responses.bodies import Node


def add_assertion(actor: Actor, request_id: str, node: Node) -> Request:
    """Add the test that the node is what it is now, or where that is too much to compare, that it is there."""
    comparison, expected = (Comparison.EQUALS, node.text) if node.can_equal else (Comparison.EXISTS, "")
    added = Assertion(subject="body", path=node.path, comparison=comparison, expected=expected)
    return _add(actor, request_id, assertions=(added,))


def add_extraction(actor: Actor, request_id: str, node: Node, variable: str, *, secret: bool) -> Request:
    """Let every later run put the node's value into a variable. ``Invalid`` where that is no name for one."""
    added = Extraction(variable=variable.strip(), source="body", path=node.path, secret=secret)
    return _add(actor, request_id, extractions=(added,))


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
