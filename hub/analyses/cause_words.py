"""Names of root causes and of the places of evidence, in the reader's language."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from hub.contracts.analysis import Cause

_NAMES: dict[Cause, Any] = {
    Cause.BAD_CREDENTIALS: lazy_gettext("Wrong or expired credentials"),
    Cause.FORBIDDEN: lazy_gettext("Not allowed"),
    Cause.NOT_FOUND: lazy_gettext("Not found"),
    Cause.WRONG_METHOD: lazy_gettext("Wrong HTTP method"),
    Cause.UNSUPPORTED_MEDIA_TYPE: lazy_gettext("Wrong body format"),
    Cause.BAD_REQUEST: lazy_gettext("Rejected request"),
    Cause.RATE_LIMITED: lazy_gettext("Too many requests"),
    Cause.TRANSIENT_UPSTREAM: lazy_gettext("Service failure"),
    Cause.TIMEOUT: lazy_gettext("Timeout"),
    Cause.TOO_MANY_REDIRECTS: lazy_gettext("Too many redirects"),
    Cause.BAD_RESPONSE_FORMAT: lazy_gettext("Unexpected answer format"),
    Cause.PAGINATION_LOOP: lazy_gettext("Endless paging"),
    Cause.INVALID_URL: lazy_gettext("Invalid address"),
    Cause.INVALID_HEADER: lazy_gettext("Invalid header"),
    Cause.DNS: lazy_gettext("Unknown host"),
    Cause.CONNECTION_REFUSED: lazy_gettext("Connection refused"),
    Cause.CONNECTION_RESET: lazy_gettext("Connection cut off"),
    Cause.TLS_UNTRUSTED: lazy_gettext("Untrusted certificate"),
    Cause.TLS_PROTOCOL: lazy_gettext("TLS mismatch"),
    Cause.MISSING_EXPRESSION_PREFIX: lazy_gettext("Expression written as text"),
    Cause.EXPRESSION_SYNTAX: lazy_gettext("Broken expression"),
    Cause.UNKNOWN_NODE_REFERENCE: lazy_gettext("Reference to a missing node"),
    Cause.UNEXECUTED_NODE_REFERENCE: lazy_gettext("Reference to a node that did not run"),
    Cause.PAIRED_ITEM: lazy_gettext("Lost item link"),
    Cause.WRONG_FIELD_PATH: lazy_gettext("Wrong field"),
    Cause.UNDEFINED_VALUE: lazy_gettext("Missing value"),
    Cause.UNKNOWN_FUNCTION: lazy_gettext("Unknown function"),
    Cause.TYPE_MISMATCH: lazy_gettext("Wrong type of value"),
    Cause.INDEX_OUT_OF_RANGE: lazy_gettext("Number out of range"),
    Cause.INVALID_JSON_BODY: lazy_gettext("Invalid JSON"),
    Cause.MISSING_BINARY: lazy_gettext("Missing file"),
    Cause.SQL_SYNTAX: lazy_gettext("Broken query"),
    Cause.CODE_SYNTAX: lazy_gettext("Broken code"),
    Cause.CODE_RETURN_SHAPE: lazy_gettext("Code returns the wrong shape"),
    Cause.CODE_WRONG_MODE: lazy_gettext("Code in the wrong mode"),
    Cause.MODULE_NOT_ALLOWED: lazy_gettext("Blocked module"),
    Cause.RUNNER_UNAVAILABLE: lazy_gettext("No runner for the code"),
    Cause.INTENTIONAL_STOP: lazy_gettext("Stopped on purpose"),
    Cause.MISSING_RESPONSE_NODE: lazy_gettext("Webhook response does not fit"),
    Cause.MISSING_SUBWORKFLOW: lazy_gettext("Missing sub-workflow"),
    Cause.UNKNOWN_NODE_TYPE: lazy_gettext("Unknown node type"),
    Cause.ENV_ACCESS_DENIED: lazy_gettext("No access to environment variables"),
    Cause.FILE_ACCESS_DENIED: lazy_gettext("No access to the file"),
    Cause.UNKNOWN: lazy_gettext("Unknown cause"),
}


def name_cause(cause: str) -> str:
    """The cause's name; its slug where it is none of the list."""
    try:
        return str(_NAMES[Cause(cause)])
    except ValueError:
        return cause


#: Beginnings of JSON pointers into the evidence, the longest of a kind first.
_PLACES: tuple[tuple[str, Any], ...] = (
    ("/error/messages", lazy_gettext("Answer of the service")),
    ("/error/response", lazy_gettext("Answer of the service")),
    ("/error/message", lazy_gettext("Error message")),
    ("/error/description", lazy_gettext("Error description")),
    ("/error/code", lazy_gettext("Error code")),
    ("/error/request", lazy_gettext("Request that was sent")),
    ("/error", lazy_gettext("Error")),
    ("/resolved_parameters", lazy_gettext("Parameters as they were used")),
    ("/input_items", lazy_gettext("Input of the node")),
    ("/workflow", lazy_gettext("Workflow")),
    ("/exchange/body", lazy_gettext("Answer of the service")),
    ("/exchange/headers", lazy_gettext("Headers of the answer")),
    ("/exchange/hops", lazy_gettext("Redirect")),
    ("/exchange/failed_checks", lazy_gettext("Failed test")),
    ("/exchange/token", lazy_gettext("End of the token")),
    ("/exchange/clock", lazy_gettext("Difference of the clocks, in seconds")),
    ("/exchange/phase", lazy_gettext("Step that took too long")),
)


def name_place(pointer: str) -> str:
    """Where a quote stands, in words; places that are words already stay as they are."""
    if pointer.startswith("/node_data/"):
        node = pointer.split("/")[2].replace("~1", "/").replace("~0", "~")
        return _("Output of “%(node)s”", node=node)
    return next((str(words) for start, words in _PLACES if pointer.startswith(start)), pointer)
