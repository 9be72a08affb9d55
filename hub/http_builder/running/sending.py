"""Sends one request and stores what came of it. The only function that does: the worker, the command line and chains call it."""

from __future__ import annotations

import contextlib
import logging
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from hub.catalog.models import Template
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.exchange import Exchange, ExchangeLimits, WireRequest
from hub.contracts.http import BinaryBody, MultipartBody, OAuth2ClientCredentials, OAuth2Code, RequestDefinition
from hub.crypto import DecryptionError
from hub.egress import EgressError, EgressPolicy, check_url, current_policy, send_exchange
from hub.extensions import db
from hub.http_builder.models import Request, RequestFile, RequestRun, RequestRunBody, RunState
from hub.http_builder.rendering import (
    FileContent,
    Mask,
    Prepared,
    RenderError,
    Send,
    TokenError,
    Values,
    authenticate,
    prepare,
    preview,
    token_for,
)
from hub.http_builder.running.assertions import check_assertions
from hub.http_builder.running.extractions import Extracted, extract, store_extracted
from hub.http_builder.running.runs import move, open_inputs
from hub.http_builder.running.searching import Body
from hub.http_builder.running.tokens import read_expiry
from hub.http_builder.running.values import SecretLost, values_for
from hub.identifiers import new_id
from hub.storable import clean_json, clean_text

log = logging.getLogger(__name__)

#: Reasons of ``EgressError`` for which nothing is sent, as long as no answer has come yet.
_REFUSALS = frozenset(
    {"bad-url", "bad-method", "bad-header", "header-refused", "secret-host", "request-too-large"}
    | {"address-refused", "address-never", "port-refused"}
)


@dataclass(slots=True)
class _Outcome:
    """What is stored of a run."""

    state: RunState
    columns: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""
    extracted: list[Extracted] = field(default_factory=list)
    host: str = ""


def send_run(run: RequestRun, cancelled: threading.Event | None = None) -> RunState:
    """Send a run that is RUNNING, and store the outcome unless it was cancelled or given up meanwhile. Commits.

    Answers how it ended. No transaction is held while the other server is waited for. Never raises for anything that the
    request or the other server does.
    """
    plan = _Plan.of(run)
    return _store(plan, _attempt(plan.definition, lambda: _prepare(plan, run, cancelled)))


def send_unstored(
    definition: RequestDefinition, values: Values, policy: EgressPolicy, *, files: Mapping[str, FileContent]
) -> tuple[RequestRun, bytes | None]:
    """Send a request of nobody in the same way, with neither an app nor a database; the run as it ended, and its body.

    Nothing of it is stored, so no OAuth2 token is kept or fetched: a request that needs one is refused.
    """

    def send(wire: WireRequest, limits: ExchangeLimits) -> Exchange:
        return send_exchange(policy, wire, limits)

    def prepare_again(_refused: str | None) -> tuple[Prepared, str | None]:
        return prepare(definition, values, files=files), None

    run = RequestRun(id=new_id(), name=definition.url[:200], method=definition.method, url=definition.url)
    run.created_at = run.started_at = utc_now()
    outcome = _attempt(definition, lambda: _Ready(*prepare_again(None), send, prepare_again))
    nothing: dict[str, Any] = {"response_headers": [], "hops": [], "assertions": [], "extracted": [], "truncated": False}
    for name, value in {**nothing, **clean_json(outcome.columns)}.items():
        setattr(run, name, value)
    run.state, run.finished_at = outcome.state, utc_now()
    return run, zlib.decompress(outcome.body) if outcome.body else None


def _attempt(definition: RequestDefinition, make_ready: Callable[[], _Ready]) -> _Outcome:
    """Prepare and send; whatever stands in the way is the outcome."""
    try:
        ready = make_ready()
    except RenderError as error:
        problems = [{"place": each.place, "code": each.code, "details": dict(each.details)} for each in error.problems]
        return _refused("not-ready", {"problems": problems})
    except SecretLost as error:
        return _refused("secret-lost", {"name": error.name})
    except DecryptionError:
        return _refused("inputs-lost", {})
    except TokenError as error:
        return _refused("token", {"code": error.code, "details": dict(error.details)})
    try:
        return _exchange(definition, ready)
    except EgressError as error:
        return _broken_off(ready.prepared, error)
    except Exception:
        log.exception("a request failed in the hub")
        return _Outcome(RunState.FAILED, {"error": {"code": "internal", "details": {}}})


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is needed of the run's row, which the session forgets while the other server is waited for."""

    run_id: str
    actor: Actor
    request_id: str | None
    environment_id: str | None
    definition: RequestDefinition

    @classmethod
    def of(cls, run: RequestRun) -> _Plan:
        actor = Actor(user_id=run.user_id, via="job")
        return cls(run.id, actor, run.request_id, run.environment_id, RequestDefinition.model_validate(run.definition))


@dataclass(frozen=True, slots=True)
class _Ready:
    """A request that can be sent, with its token, and what makes it anew where the token is refused."""

    prepared: Prepared
    token: str | None
    send: Send
    prepare_again: Callable[[str | None], tuple[Prepared, str | None]]


def _prepare(plan: _Plan, run: RequestRun, cancelled: threading.Event | None) -> _Ready:
    definition = plan.definition
    values = values_for(plan.actor, plan.request_id, plan.environment_id, open_inputs(run), definition=definition)
    files = read_files(plan.actor, definition)
    policy = current_policy()
    db.session.rollback()

    def send(wire: WireRequest, limits: ExchangeLimits) -> Exchange:
        return send_exchange(policy, wire, limits, cancelled=cancelled)

    def prepare_again(refused: str | None) -> tuple[Prepared, str | None]:
        has_token = isinstance(definition.auth, OAuth2ClientCredentials | OAuth2Code)
        token = token_for(plan.actor, definition, values, send, refused=refused) if has_token else None
        return prepare(definition, values, files=files, token=token), token

    return _Ready(*prepare_again(None), send, prepare_again)


def read_files(actor: Actor, definition: RequestDefinition) -> dict[str, FileContent]:
    """The uploaded files that a body names, by id; those that are gone are left out."""
    body = definition.body
    wanted = [body.file_id] if isinstance(body, BinaryBody) else []
    if isinstance(body, MultipartBody):
        wanted = [part.file_id for part in body.parts if part.is_file and part.enabled]
    ids = [file_id for file_id in wanted if file_id]
    if not ids:
        return {}
    own = sa.select(RequestFile).where(RequestFile.id.in_(ids), RequestFile.user_id == actor.user_id)
    files = db.session.scalars(own.options(undefer(RequestFile.content)))
    return {file.id: FileContent(file.name, file.media_type, file.content) for file in files}


def _exchange(definition: RequestDefinition, ready: _Ready) -> _Outcome:
    prepared = ready.prepared
    wire, exchange = authenticate(definition.auth, prepared, ready.send)
    if exchange.status == 401 and ready.token is not None:
        # The service has revoked the token before its time: it has done nothing, so once more with a new one.
        with contextlib.suppress(TokenError):
            prepared, _token = ready.prepare_again(ready.token)
            wire, exchange = authenticate(definition.auth, prepared, ready.send)
    prepared = replace(prepared, wire=wire)
    body = Body(_text_of(exchange))
    results = check_assertions(prepared.assertions, exchange, body)
    extracted = extract(definition.extractions, exchange, body)
    new_secrets = [(each.variable, each.value) for each in extracted if each.secret and each.value]
    mask = prepared.mask.with_secrets(new_secrets)
    columns = {
        **_sent(prepared, mask),
        "status_code": exchange.status,
        "reason": mask.text(clean_text(exchange.reason))[:200],
        "http_version": clean_text(exchange.http_version)[:20],
        "response_headers": [list(header) for header in mask.headers(exchange.headers)],
        "media_type": _media_type(exchange)[:200] or None,
        "wire_size": exchange.wire_size,
        "body_size": len(exchange.body),
        "truncated": exchange.truncated,
        "timing": asdict(exchange.timing),
        "duration_ms": exchange.timing.total_ms,
        "hops": [mask.json(asdict(hop)) for hop in exchange.hops],
        "tls": asdict(exchange.tls) if exchange.tls else None,
        "assertions": [mask.json(result.as_json()) for result in results],
        "passed": all(result.passed for result in results) if results else None,
        "extracted": [each.as_json() for each in extracted],
    }
    stored = zlib.compress(mask.bytes(exchange.body)) if exchange.body else b""
    return _Outcome(RunState.DONE, columns, stored, extracted, check_url(prepared.wire.url).authority)


def _sent(prepared: Prepared, mask: Mask) -> dict[str, Any]:
    shown = preview(prepared)
    sent = {"method": shown.method, "url": shown.url, "headers": [list(pair) for pair in shown.headers], "body": shown.body}
    facts = {"body_size": shown.body_size, "body_cut": shown.body_cut, "token_expires_at": read_expiry(prepared.wire.headers)}
    return {"sent": {**mask.json(sent), **facts}, "url": mask.text(shown.url)}


def _text_of(exchange: Exchange) -> str:
    """The body in the character set that its headers name; UTF-8 where they name none that is known."""
    content_type = next((value for name, value in exchange.headers if name.lower() == "content-type"), "")
    charset = content_type.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
    try:
        return exchange.body.decode(charset or "utf-8", "replace").removeprefix("\ufeff")
    except (LookupError, ValueError):
        return exchange.body.decode("utf-8", "replace").removeprefix("\ufeff")


def _media_type(exchange: Exchange) -> str:
    content_type = next((value for name, value in exchange.headers if name.lower() == "content-type"), "")
    return clean_text(content_type).partition(";")[0].strip().lower()


def _refused(code: str, details: Mapping[str, Any]) -> _Outcome:
    return _Outcome(RunState.REFUSED, {"error": {"code": code, "details": dict(details)}})


def _broken_off(prepared: Prepared, error: EgressError) -> _Outcome:
    """What is known of an exchange that did not come to its end, or never began."""
    mask = prepared.mask
    was_sent = bool(error.hops) or error.code not in _REFUSALS
    timing = asdict(error.timing) if error.timing else None
    columns = {
        **_sent(prepared, mask),
        "error": {"code": error.code, "details": mask.json(error.details), "phase": error.phase},
        "hops": [mask.json(asdict(hop)) for hop in error.hops],
        "timing": timing,
        "duration_ms": timing["total_ms"] if timing else None,
    }
    return _Outcome(RunState.FAILED if was_sent else RunState.REFUSED, columns)


def _store(plan: _Plan, outcome: _Outcome) -> RunState:
    """One transaction: the run, its body, the variables, what is counted."""
    db.session.rollback()
    if not move(plan.run_id, (RunState.RUNNING,), outcome.state, **clean_json(outcome.columns)):
        db.session.rollback()
        return RunState.CANCELED
    if outcome.body:
        db.session.add(RequestRunBody(run_id=plan.run_id, content=outcome.body))
    if outcome.extracted:
        store_extracted(str(plan.actor.user_id), plan.environment_id, outcome.extracted, outcome.host)
    if plan.request_id and outcome.state is not RunState.REFUSED:
        _count_use(plan.request_id)
    db.session.commit()
    return outcome.state


def _count_use(request_id: str) -> None:
    """The request was used, and the template that it was made from. Neither counts as a change of it."""
    used = (
        sa.update(Request)
        .where(Request.id == request_id)
        .values(usage_count=Request.usage_count + 1, last_used=utc_now(), updated_at=Request.updated_at)
        .returning(Request.service_id, Request.endpoint_id)
        .execution_options(synchronize_session=False)
    )
    made_from = db.session.execute(used).one_or_none()
    if made_from is None or made_from.service_id is None:
        return
    same = sa.and_(Template.service_id == made_from.service_id, Template.endpoint_id == made_from.endpoint_id)
    counted = sa.update(Template).where(same).values(usage_count=Template.usage_count + 1, updated_at=Template.updated_at)
    db.session.execute(counted.execution_options(synchronize_session=False))
