"""Where to read more about a cause: n8n's own pages where n8n itself links to them, else the web's reference."""

from __future__ import annotations

from hub.plugin_api import Cause

_N8N = "https://docs.n8n.io"
_NODES = f"{_N8N}/integrations/builtin/core-nodes/n8n-nodes-base"
_STATUS = "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Status"
_ERRORS = "https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Errors"

_HTTP_REQUEST = f"{_NODES}.httprequest/"
_CODE = f"{_NODES}.code/"
_EXPRESSIONS = f"{_N8N}/code/expressions/"
_SETTINGS = f"{_N8N}/hosting/configuration/environment-variables/"

DOCUMENTATION = {
    Cause.BAD_CREDENTIALS: f"{_STATUS}/401",
    Cause.FORBIDDEN: f"{_STATUS}/403",
    Cause.NOT_FOUND: f"{_STATUS}/404",
    Cause.WRONG_METHOD: f"{_STATUS}/405",
    Cause.UNSUPPORTED_MEDIA_TYPE: f"{_STATUS}/415",
    Cause.BAD_REQUEST: f"{_STATUS}/400",
    Cause.RATE_LIMITED: f"{_STATUS}/429",
    Cause.TRANSIENT_UPSTREAM: f"{_STATUS}/503",
    Cause.TIMEOUT: _HTTP_REQUEST,
    Cause.TOO_MANY_REDIRECTS: _HTTP_REQUEST,
    Cause.BAD_RESPONSE_FORMAT: _HTTP_REQUEST,
    Cause.PAGINATION_LOOP: f"{_HTTP_REQUEST}#pagination",
    Cause.INVALID_URL: _HTTP_REQUEST,
    Cause.INVALID_HEADER: _HTTP_REQUEST,
    Cause.DNS: _HTTP_REQUEST,
    Cause.CONNECTION_REFUSED: _HTTP_REQUEST,
    Cause.CONNECTION_RESET: _HTTP_REQUEST,
    Cause.TLS_UNTRUSTED: _HTTP_REQUEST,
    Cause.TLS_PROTOCOL: _HTTP_REQUEST,
    Cause.MISSING_EXPRESSION_PREFIX: _EXPRESSIONS,
    Cause.EXPRESSION_SYNTAX: _EXPRESSIONS,
    Cause.UNKNOWN_NODE_REFERENCE: _EXPRESSIONS,
    Cause.UNEXECUTED_NODE_REFERENCE: _EXPRESSIONS,
    Cause.PAIRED_ITEM: f"{_N8N}/data/data-mapping/data-item-linking/item-linking-errors/",
    Cause.WRONG_FIELD_PATH: _EXPRESSIONS,
    Cause.UNDEFINED_VALUE: f"{_ERRORS}/Cant_access_property",
    Cause.UNKNOWN_FUNCTION: f"{_ERRORS}/Not_a_function",
    Cause.TYPE_MISMATCH: f"{_N8N}/code/builtin/",
    Cause.INDEX_OUT_OF_RANGE: _EXPRESSIONS,
    Cause.INVALID_JSON_BODY: f"{_ERRORS}/JSON_bad_parse",
    Cause.MISSING_BINARY: f"{_N8N}/data/binary-data/",
    Cause.SQL_SYNTAX: _EXPRESSIONS,
    Cause.CODE_SYNTAX: _CODE,
    Cause.CODE_RETURN_SHAPE: _CODE,
    Cause.CODE_WRONG_MODE: _CODE,
    Cause.MODULE_NOT_ALLOWED: _SETTINGS,
    Cause.RUNNER_UNAVAILABLE: f"{_N8N}/hosting/configuration/task-runners/",
    Cause.INTENTIONAL_STOP: f"{_NODES}.stopanderror/",
    Cause.MISSING_RESPONSE_NODE: f"{_NODES}.respondtowebhook/",
    Cause.MISSING_SUBWORKFLOW: f"{_NODES}.executeworkflow/",
    Cause.UNKNOWN_NODE_TYPE: f"{_N8N}/integrations/community-nodes/troubleshooting/",
    Cause.ENV_ACCESS_DENIED: f"{_N8N}/2-0-breaking-changes/#block-environment-variable-access-from-code-node-by-default",
    Cause.FILE_ACCESS_DENIED: _SETTINGS,
}
