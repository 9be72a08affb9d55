"""Saved HTTP requests, their variables and files, and what came of sending them."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import (
    Count,
    Created,
    Flag,
    Json,
    JsonList,
    JsonObject,
    Key,
    TextList,
    Timestamps,
    UtcDateTime,
    enum_column,
    utc_now,
)
from hub.contracts.catalog import HttpMethod
from hub.encrypted_columns import encrypted_column
from hub.extensions import Model


class Request(Timestamps, Model):
    """A saved HTTP request: the parts of a ``RequestDefinition`` in columns of their own, and what the list shows."""

    __tablename__ = "requests"
    __table_args__ = (
        sa.Index("idx_requests_user", "user_id"),
        sa.Index("ix_requests_method", "method"),
        sa.Index("ix_requests_user_updated", "user_id", "updated_at", "id"),
    )

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str | None] = mapped_column(sa.Text)
    method: Mapped[HttpMethod] = mapped_column(enum_column(HttpMethod, "http_method"))
    url: Mapped[str] = mapped_column(sa.Text)
    #: ``Pair`` rows; an object, as the seed has it, is read too.
    headers: Mapped[Any] = mapped_column(Json, default=list, server_default="{}", nullable=False)
    params: Mapped[Any] = mapped_column(Json, default=list, server_default="{}", nullable=False)
    body: Mapped[Any | None] = mapped_column(Json)
    auth: Mapped[dict[str, Any] | None] = mapped_column(Json)
    settings: Mapped[JsonObject]
    assertions: Mapped[JsonList]
    extractions: Mapped[JsonList]
    variables: Mapped[JsonList]
    last_used: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    usage_count: Mapped[Count]
    favorite: Mapped[Flag]
    tags: Mapped[TextList]
    folder: Mapped[str | None] = mapped_column(sa.String(200))
    documentation: Mapped[str | None] = mapped_column(sa.Text)
    #: The pack that it was made from, and which of its endpoints.
    service_id: Mapped[str | None] = mapped_column(sa.String(80))
    endpoint_id: Mapped[str | None] = mapped_column(sa.String(120))
    #: Where an import found it (``RequestDraft.origin``), and the definition as it was imported, to know what the person changed.
    origin: Mapped[str | None] = mapped_column(sa.String(400))
    imported: Mapped[dict[str, Any] | None] = mapped_column(Json)
    #: When a person last changed it: sending it is no change, so no ``onupdate``.
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utc_now)
    #: Set by delete; undo clears it, the daily clean-up removes the row.
    deleted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Environment(Timestamps, Model):
    """A named set of variables, such as Staging. At most one of a person's is active."""

    __tablename__ = "environments"
    __table_args__ = (sa.UniqueConstraint("user_id", "name"),)

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(120))
    active: Mapped[Flag]


class Variable(Timestamps, Model):
    """A value for ``{{NAME}}``, of a person, an environment or a request. A secret one is encrypted and never read back."""

    __tablename__ = "variables"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "scope", "name"),
        sa.Index("ix_variables_environment_id", "environment_id"),
        sa.Index("ix_variables_request_id", "request_id"),
    )

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    environment_id: Mapped[str | None] = mapped_column(sa.ForeignKey("environments.id", ondelete="CASCADE"))
    request_id: Mapped[str | None] = mapped_column(sa.ForeignKey("requests.id", ondelete="CASCADE"))
    #: ``user``, ``environment:<id>`` or ``request:<id>``: NULLs would make no unique key.
    scope: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(120))
    value: Mapped[str | None] = mapped_column(sa.Text)
    #: The envelope of a secret value, bound to ``variables.secret_value:<id>``.
    secret_value: Mapped[str | None] = mapped_column(sa.Text)
    is_secret: Mapped[Flag]
    #: Hosts that a secret may go to, ``host``, ``host:port`` or ``*.suffix``.
    hosts: Mapped[TextList]
    description: Mapped[str | None] = mapped_column(sa.Text)


SECRET_VALUE = encrypted_column(Variable, "secret_value")


class RequestFile(Created, Model):
    """A file that was uploaded to be sent."""

    __tablename__ = "request_files"
    __table_args__ = (sa.Index("ix_request_files_user_id", "user_id"),)

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(255))
    media_type: Mapped[str] = mapped_column(sa.String(200))
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)


class ImportSource(Created, Model):
    """What was given to be imported, until its person has chosen from it or a day is over."""

    __tablename__ = "import_sources"
    __table_args__ = (sa.Index("ix_import_sources_user_id", "user_id"),)

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    #: Where it was fetched: servers of a document may be relative to it.
    address: Mapped[str | None] = mapped_column(sa.Text)
    #: The envelope of the packed bytes, bound to ``import_sources.content:<id>``.
    content: Mapped[str] = mapped_column(sa.Text)


IMPORT_CONTENT = encrypted_column(ImportSource, "content")


class OAuthToken(Timestamps, Model):
    """A token that the hub fetched for a person's request, encrypted. ``fingerprint`` tells which client and scope it is for."""

    __tablename__ = "oauth_tokens"
    __table_args__ = (sa.UniqueConstraint("user_id", "fingerprint"),)

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    access_token: Mapped[str] = mapped_column(sa.Text)
    refresh_token: Mapped[str | None] = mapped_column(sa.Text)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


ACCESS_TOKEN = encrypted_column(OAuthToken, "access_token")
REFRESH_TOKEN = encrypted_column(OAuthToken, "refresh_token")


class RunState(enum.StrEnum):
    """Where a run stands. ``REFUSED`` was not sent, ``INTERRUPTED`` lost its worker and may or may not have been."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    REFUSED = "REFUSED"
    INTERRUPTED = "INTERRUPTED"
    CANCELED = "CANCELED"


class RequestChain(Timestamps, Model):
    """Requests that are sent one after the other, each with what the earlier ones extracted."""

    __tablename__ = "request_chains"
    __table_args__ = (sa.Index("ix_request_chains_user_id", "user_id"),)

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(200))
    #: Ids of requests, in order.
    steps: Mapped[TextList]


class RequestChainRun(Created, Model):
    """One run of a chain; its runs carry its id."""

    __tablename__ = "request_chain_runs"
    __table_args__ = (sa.Index("ix_request_chain_runs_chain_id", "chain_id"),)

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    chain_id: Mapped[str] = mapped_column(sa.ForeignKey("request_chains.id", ondelete="CASCADE"))
    state: Mapped[RunState] = mapped_column(enum_column(RunState, "chain_run_state"), default=RunState.QUEUED)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class RequestRun(Created, Model):
    """One sending of a request: what was asked, what was sent (secrets masked), what came back."""

    __tablename__ = "request_runs"
    __table_args__ = (
        sa.Index("ix_request_runs_user_created", "user_id", "created_at", "id"),
        sa.Index("ix_request_runs_request_created", "request_id", "created_at", "id"),
        sa.Index("ix_request_runs_chain_run_id", "chain_run_id"),
        sa.Index("ix_request_runs_analysis_id", "analysis_id"),
        sa.Index("ix_request_runs_repeats_id", "repeats_id"),
        # What is under way, to limit it and to find what lost its worker.
        sa.Index(
            "ix_request_runs_active",
            "user_id",
            sqlite_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
            postgresql_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
        ),
    )

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    request_id: Mapped[str | None] = mapped_column(sa.ForeignKey("requests.id", ondelete="CASCADE"))
    environment_id: Mapped[str | None] = mapped_column(sa.ForeignKey("environments.id", ondelete="SET NULL"))
    chain_run_id: Mapped[str | None] = mapped_column(sa.ForeignKey("request_chain_runs.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(200))
    state: Mapped[RunState] = mapped_column(enum_column(RunState, "run_state"), default=RunState.QUEUED)
    method: Mapped[HttpMethod] = mapped_column(enum_column(HttpMethod, "run_method"))
    #: As written until it is sent, then as sent, with secrets masked.
    url: Mapped[str] = mapped_column(sa.Text)
    #: The definition as it was when Send was pressed, unrendered.
    definition: Mapped[JsonObject]
    #: Envelope of secrets that are typed but not saved, bound to ``request_runs.inputs:<id>``; emptied when the run ends.
    inputs: Mapped[str | None] = mapped_column(sa.Text)
    #: ``{method, url, headers, body}`` as sent, masked.
    sent: Mapped[dict[str, Any] | None] = mapped_column(Json)
    status_code: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(sa.String(200))
    http_version: Mapped[str | None] = mapped_column(sa.String(20))
    response_headers: Mapped[JsonList]
    media_type: Mapped[str | None] = mapped_column(sa.String(200))
    wire_size: Mapped[int | None]
    body_size: Mapped[int | None]
    truncated: Mapped[Flag]
    timing: Mapped[dict[str, Any] | None] = mapped_column(Json)
    hops: Mapped[JsonList]
    tls: Mapped[dict[str, Any] | None] = mapped_column(Json)
    duration_ms: Mapped[float | None]
    #: ``{code, details}`` of a refusal or a failure, for ``describe_egress_error`` and its neighbours.
    error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    #: Each assertion with what was found; ``passed`` is None where there is none.
    assertions: Mapped[JsonList]
    passed: Mapped[bool | None]
    #: Each extraction with whether it found a value; secret values are not in it.
    extracted: Mapped[JsonList]
    started_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: Why it failed, where somebody has asked.
    analysis_id: Mapped[str | None] = mapped_column(sa.ForeignKey("ai_analyses.id", ondelete="SET NULL"))
    #: The suggestion that was applied to the saved request, with what was there before, for the way back.
    applied: Mapped[dict[str, Any] | None] = mapped_column(Json, deferred=True)
    #: The failed run that this one repeats after its change.
    repeats_id: Mapped[str | None] = mapped_column(sa.ForeignKey("request_runs.id", ondelete="SET NULL"))


RUN_INPUTS = encrypted_column(RequestRun, "inputs")


class RequestRunBody(Model):
    """The answer's body (zlib), secrets masked, apart from its run so that lists stay light."""

    __tablename__ = "request_run_bodies"

    run_id: Mapped[str] = mapped_column(sa.ForeignKey("request_runs.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)
