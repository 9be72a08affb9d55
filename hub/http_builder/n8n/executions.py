"""From a failed execution to a request: the node as it ran, its expressions filled in from the data of that execution alone."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext as _

from hub.analyses.reads import Keys, read_path
from hub.contracts.actor import Actor
from hub.contracts.http import PLACEHOLDER, Note, RequestDraft
from hub.errors import Conflict, NotFound
from hub.executions.models import Execution
from hub.executions.services import get_execution
from hub.executions.timeline import ItemList, read_node
from hub.http_builder.importing.n8n import make_draft
from hub.http_builder.n8n.bodies import as_text
from hub.http_builder.n8n.expressions import split_expression
from hub.http_builder.n8n.reading import is_http_request
from hub.http_builder.rendering.placeholders import is_expression
from hub.redaction import TOKEN
from hub.workflows.services import get_workflow

Json = dict[str, Any]
_MISSING = object()
_METHOD = re.compile(r"\.(first|last)\(\)")


def draft_from_execution(actor: Actor, execution_id: str, node_name: str | None = None) -> RequestDraft:
    """A draft of the HTTP Request node that failed, or of the named one. What could not be filled in stays an expression.

    ``Conflict`` where the execution's data is not there or the node is no HTTP Request; ``NotFound`` for no such node.
    """
    execution = get_execution(actor, execution_id)
    stored = execution.data or {}
    data, executed = stored.get("data") or {}, stored.get("workflowData")
    result = data.get("resultData") or {}
    name = node_name or execution.error_node or result.get("lastNodeExecuted")
    document = executed or _document(actor, execution)
    node = next((node for node in document.get("nodes") or () if isinstance(node, dict) and node.get("name") == name), None)
    if node is None:
        raise NotFound()
    if not is_http_request(node):
        raise Conflict(_("“%(node)s” is no HTTP Request node.", node=name))
    resolver = _Resolver(result, document, str(name))
    draft = make_draft({**node, "parameters": resolver.resolve(node.get("parameters") or {})}, folder=document.get("name"))
    known = {key: value for key, value in draft.secrets.items() if not TOKEN.search(value)}
    hidden = sorted(draft.secrets.keys() - known.keys())
    notes = [*draft.notes, *([Note(code="n8n-hidden", details={"names": ", ".join(hidden)})] if hidden else [])]
    return draft.model_copy(update={"secrets": known, "notes": tuple(notes), "folder": None})


def _document(actor: Actor, execution: Execution) -> Json:
    workflow = get_workflow(actor, execution.workflow_id)
    return {"nodes": workflow.nodes, "connections": workflow.connections}


class _Resolver:
    """Fills expressions in with what the execution recorded; those that do more than read a value stay."""

    def __init__(self, result: Json, document: Json, name: str) -> None:
        self._runs: Json = result.get("runData") or {}
        self._document = document
        own = read_node(self._runs, document, name, None)
        context = (result.get("error") or {}).get("context") or {}
        number = context.get("itemIndex") if isinstance(context, dict) else None
        self._index = number if isinstance(number, int) and number >= 0 else 0
        self._given = own.inputs[0] if own and own.inputs else None

    def resolve(self, value: Any) -> Any:
        """The parameters with each expression that can be filled in replaced by its value."""
        if isinstance(value, dict):
            return {key: self.resolve(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [self.resolve(entry) for entry in value]
        return self._fill(value) if isinstance(value, str) and is_expression(value) else value

    def _fill(self, expression: str) -> Any:
        parts = [(is_code, text) for is_code, text in split_expression(expression[1:]) if is_code or text]
        values = [self._read(text) if is_code else text for is_code, text in parts]
        if any(value is _MISSING for value in values):
            return expression
        if len(values) == 1 and not isinstance(values[0], str):
            return values[0]
        text = "".join(as_text(value) for value in values)
        looks_special = text.startswith("=") or PLACEHOLDER.search(text) or TOKEN.search(text)
        return expression if looks_special else text

    def _read(self, code: str) -> Any:
        path = read_path(code.strip())
        if path is None:
            return _MISSING
        node, keys = path
        if node is None:
            return _look_up(self._item(self._given, code), keys)
        data = read_node(self._runs, self._document, node, None)
        return _look_up(self._item(next((listed for listed in data.outputs if listed.items), None) if data else None, code), keys)

    def _item(self, listed: ItemList | None, code: str) -> Any:
        """The item that n8n means: the only one, the first or last where the code says so, or the one of the same number."""
        if listed is None or not listed.items:
            return _MISSING
        method = _METHOD.search(code)
        if listed.count == 1 or (method and method[1] == "first"):
            return listed.items[0]
        is_paired = self._given is not None and listed.count == self._given.count
        index = listed.count - 1 if method else self._index if is_paired else len(listed.items)
        return listed.items[index] if index < len(listed.items) else _MISSING


def _look_up(value: Any, keys: Keys) -> Any:
    for key in keys:
        is_there = (
            isinstance(key, int) and key < len(value) if isinstance(value, list) else isinstance(value, dict) and key in value
        )
        if not is_there:
            return _MISSING
        value = value[key]
    return value
