"""What an analyzer gets (``Evidence``) and gives (``Diagnosis``)."""

from __future__ import annotations

import enum
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field


class Cause(enum.StrEnum):
    """Root causes of a failed execution; the closed list that analyzers choose from."""

    BAD_CREDENTIALS = "bad-credentials"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    WRONG_METHOD = "wrong-method"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    BAD_REQUEST = "bad-request"
    RATE_LIMITED = "rate-limited"
    TRANSIENT_UPSTREAM = "transient-upstream"
    TIMEOUT = "timeout"
    TOO_MANY_REDIRECTS = "too-many-redirects"
    BAD_RESPONSE_FORMAT = "bad-response-format"
    PAGINATION_LOOP = "pagination-loop"
    INVALID_URL = "invalid-url"
    INVALID_HEADER = "invalid-header"
    DNS = "dns"
    CONNECTION_REFUSED = "connection-refused"
    CONNECTION_RESET = "connection-reset"
    TLS_UNTRUSTED = "tls-untrusted"
    TLS_PROTOCOL = "tls-protocol"
    MISSING_EXPRESSION_PREFIX = "missing-expression-prefix"
    EXPRESSION_SYNTAX = "expression-syntax"
    UNKNOWN_NODE_REFERENCE = "unknown-node-reference"
    UNEXECUTED_NODE_REFERENCE = "unexecuted-node-reference"
    PAIRED_ITEM = "paired-item"
    WRONG_FIELD_PATH = "wrong-field-path"
    UNDEFINED_VALUE = "undefined-value"
    UNKNOWN_FUNCTION = "unknown-function"
    TYPE_MISMATCH = "type-mismatch"
    INDEX_OUT_OF_RANGE = "index-out-of-range"
    INVALID_JSON_BODY = "invalid-json-body"
    MISSING_BINARY = "missing-binary"
    SQL_SYNTAX = "sql-syntax"
    CODE_SYNTAX = "code-syntax"
    CODE_RETURN_SHAPE = "code-return-shape"
    CODE_WRONG_MODE = "code-wrong-mode"
    MODULE_NOT_ALLOWED = "module-not-allowed"
    RUNNER_UNAVAILABLE = "runner-unavailable"
    INTENTIONAL_STOP = "intentional-stop"
    MISSING_RESPONSE_NODE = "missing-response-node"
    MISSING_SUBWORKFLOW = "missing-subworkflow"
    UNKNOWN_NODE_TYPE = "unknown-node-type"
    ENV_ACCESS_DENIED = "env-access-denied"
    FILE_ACCESS_DENIED = "file-access-denied"
    UNKNOWN = "unknown"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LocalizedText(_Frozen):
    """The same words in both of the hub's languages. Plain text; names of nodes and fields stand in ‘quotes’."""

    en: str
    ar: str

    def in_language(self, language: str) -> str:
        """The Arabic words for ``ar``, else the English ones."""
        return self.ar if language == "ar" else self.en


class ErrorFacts(_Frozen):
    """The error as n8n reports it, redacted. Every field may be missing: n8n writes few of them always."""

    class_name: str | None = None
    #: An HTTP status as text ("429"), or a network code ("ECONNREFUSED").
    code: str | None = None
    #: n8n's own triage where present (``failure.cause``), e.g. "rate-limited".
    failure_cause: str | None = None
    message: str = ""
    description: str | None = None
    #: The service's raw answers, e.g. '429 - "{...}"'.
    messages: tuple[str, ...] = ()
    #: ``context.type`` / ``context.descriptionKey`` / ``context.parameter`` / ``context.nodeCause`` of expression errors.
    context_type: str | None = None
    description_key: str | None = None
    parameter: str | None = None
    node_cause: str | None = None
    item_index: int | None = None
    run_index: int | None = None
    line_number: int | None = None
    #: ``context.request`` / ``errorResponse`` where n8n keeps them.
    request: dict[str, Any] | None = None
    response: Any = None
    #: First lines of the stack, without paths of n8n's own packages.
    stack: tuple[str, ...] = ()
    #: True where n8n withheld the error (``redactedError``).
    withheld: bool = False


class NodeData(_Frozen):
    """What one node put out in the run: ``None`` in ``outputs`` is an output that gave nothing."""

    executed: bool
    status: str | None = None
    item_count: int = 0
    #: First items (``json`` only) of each output, redacted and cut to size.
    outputs: tuple[tuple[dict[str, Any], ...], ...] = ()
    binary_keys: tuple[str, ...] = ()
    execution_time_ms: float | None = None


class FieldChange(_Frozen):
    """How one field of the failing node's input differs from its input in the last success."""

    kind: Literal["gone", "new", "renamed", "type"]
    #: Dotted path inside the item; of a renamed field the old one.
    path: str
    #: JSON types ("text", "number", "object", …), or the new path of a renamed field in ``now``.
    was: str | None = None
    now: str | None = None


class WorkflowChange(_Frozen):
    """One place of the workflow that differs between the version that worked and the one that failed."""

    kind: Literal["node-added", "node-removed", "node-renamed", "node-type", "parameter", "connections", "settings"]
    node: str | None = None
    #: Dotted place inside the node or the settings; the new name of a renamed node.
    place: str = ""


class LastSuccess(_Frozen):
    """The last successful run of the same workflow before the failure, compared with the failed one. It holds no values."""

    execution_id: str
    started_at: str | None = None
    #: Whether the failing node ran then and its input could be compared.
    compared: bool = False
    input_count: int | None = None
    output_count: int | None = None
    input_changes: tuple[FieldChange, ...] = ()
    workflow_changes: tuple[WorkflowChange, ...] = ()


class ChildFailure(_Frozen):
    """The execution of a sub-workflow in which the failure lies."""

    execution_id: str
    workflow_id: str | None = None
    workflow_name: str | None = None
    failing_node: str | None = None
    #: None where the child's execution could not be read.
    error: ErrorFacts | None = None


class ExchangeFacts(_Frozen):
    """What the hub saw of an exchange that it made itself (the HTTP builder), redacted. n8n keeps nothing of the kind."""

    #: Why nothing was sent or no whole answer came: a code of the hub, such as "secret-host" or "timeout", and its details.
    code: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)
    #: The same in words.
    reasons: tuple[LocalizedText, ...] = ()
    #: The step that failed: "dns", "connect", "tls", "first_byte", "download".
    phase: str | None = None
    duration_ms: float | None = None
    status: int | None = None
    media_type: str | None = None
    #: Headers of the answer that say what to do, by their name in small letters: "allow", "retry-after", ...
    headers: dict[str, str] = Field(default_factory=dict)
    #: Method, address and status of each answer on the way, the last one included.
    hops: tuple[dict[str, Any], ...] = ()
    #: The beginning of the body where it is text.
    body: str = ""
    #: Tests of the request that failed: what each demands, and what was found.
    failed_checks: tuple[str, ...] = ()
    #: When the token that was sent (a JWT) had expired, ISO 8601 in UTC.
    token_expired_at: str | None = None
    #: How far the hub's clock is ahead of the server's, in seconds.
    clock_ahead_seconds: int | None = None
    #: Whether the request was signed together with its time (AWS, HMAC).
    is_signed: bool = False


class Evidence(_Frozen):
    """The small, redacted, deterministic picture of one failed execution that analyzers judge.

    ``workflow`` is ``{name, nodes, connections, settings}`` as it ran, redacted: patches are made against it. A value that
    redaction replaced looks like ``<SECRET_1>`` and must not stand in a patch.
    """

    execution_id: str | None = None
    status: str
    mode: str | None = None
    started_at: str | None = None
    stopped_at: str | None = None
    error: ErrorFacts
    #: Name of the node that n8n blames, None where it names none.
    failing_node: str | None = None
    #: The failing node's parameters after expressions were resolved, where n8n kept them.
    resolved_parameters: dict[str, Any] | None = None
    #: First input items (``json`` only) of the failing node.
    input_items: tuple[dict[str, Any], ...] = ()
    input_count: int = 0
    input_binary_keys: tuple[str, ...] = ()
    #: Per node name; every node that ran, nearest ancestors of the failing node in full.
    node_data: dict[str, NodeData] = Field(default_factory=dict)
    workflow: dict[str, Any]
    #: How the facts are known to be incomplete: "no-data", "too-large", "redacted-by-n8n", "truncated"; "workflow-changed"
    #: says that ``workflow`` is no longer the version that ran.
    limits: tuple[str, ...] = ()
    #: What changed since the workflow last worked, where the hub knows a success before the failure.
    last_success: LastSuccess | None = None
    #: Where the failure came up from a sub-workflow.
    child: ChildFailure | None = None
    #: Where the failure is of a request that the hub sent itself.
    exchange: ExchangeFacts | None = None

    def node(self, name: str | None) -> dict[str, Any] | None:
        """The workflow's node of that name."""
        return next((node for node in self.workflow["nodes"] if node.get("name") == name), None)


class Quote(_Frozen):
    """One piece of evidence: where it stands (a JSON pointer into the evidence, or a words-only place) and what it says."""

    pointer: str
    quote: str


class Trial(_Frozen):
    """One changed text of a patch, run on the recorded data in a model of n8n's expressions and Code nodes."""

    node: str
    #: The parameter, dotted.
    path: str
    #: ``empty``: it runs and gives no value. ``not-tried`` where the model or the recording lacks something: ``reason``.
    status: Literal["worked", "empty", "failed", "not-tried"]
    #: What it gave for the item that had failed, redacted and cut.
    value: str | None = None
    error: str | None = None
    #: How the text failed before the change; None where it did not fail, or was not tried.
    error_before: str | None = None
    #: Why it was not tried, and what was missing: ``not-modelled``, ``no-data``, ``cut-data``, ...
    reason: str | None = None
    what: str | None = None
    #: On how many of the node's items it ran.
    items: int = 0
    item_count: int = 0


class Objection(_Frozen):
    """Why the hub does not offer a patch for one click: a code of its words, and what the sentence needs."""

    code: str
    details: dict[str, Any] = Field(default_factory=dict)


class Suggestion(_Frozen):
    """Advice (``manual``) or a change to the workflow (``patch``: RFC 6902 on ``{name, nodes, connections, settings}``)."""

    title: LocalizedText
    explanation: LocalizedText
    kind: Literal["patch", "manual"]
    patch: tuple[dict[str, Any], ...] | None = None
    #: How likely this change repairs the failure, 0..1.
    confidence: float = Field(ge=0, le=1)
    #: Both are the hub's own: what an analyzer writes there is replaced.
    trials: tuple[Trial, ...] = ()
    objection: Objection | None = None


class Diagnosis(_Frozen):
    """An analyzer's answer: one cause, the culprit node, why, and what to do. ``unknown`` is a valid answer."""

    cause: Cause
    #: The culprit; may stand upstream of the failing node.
    node: str | None
    #: How likely the cause is right, 0..1.
    confidence: float = Field(ge=0, le=1)
    summary: LocalizedText
    evidence: tuple[Quote, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    #: Which rule or model said so, e.g. "http-rate-limited".
    source: str = ""
    #: Address of a page to read more, where the analyzer knows one.
    documentation: str | None = Field(None, pattern="^https://")


class Analyzer(Protocol):
    """Judges evidence. Pure: no network and no database unless its plugin says otherwise in its description."""

    #: Unique among all enabled plugins; kept with each analysis.
    name: str

    def diagnose(self, evidence: Evidence) -> Diagnosis | None:
        """The diagnosis, or None to leave the evidence to the next analyzer."""
        ...
