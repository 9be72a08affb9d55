"""Alice's webhook, a receiver on loopback, and a clock that goes when it is told to."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.contracts.actor import Actor
from hub.executions.ingest import ingest_executions
from hub.extensions import db
from hub.instances.models import Instance
from hub.webhooks import messages, outbox, retention, sending, services
from hub.webhooks.models import Webhook, WebhookDelivery
from tests.hub.api.conftest import program, program_of, spec
from tests.hub.factories import make_instance
from tests.hub.webhooks.specification import verify

__all__ = ["program", "program_of", "spec"]

Json = dict[str, Any]


class Clock:
    """The time of the room; ``move`` lets it pass."""

    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def move(self, **delta: float) -> None:
        self.now += dt.timedelta(**delta)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (messages, outbox, retention, sending, services):
        monkeypatch.setattr(module, "utc_now", clock)
    monkeypatch.setattr(sending.random, "uniform", lambda _low, _high: 0.0)
    return clock


class Receiver:
    """Takes messages; answers what it is told to, in turn, and the last of it for ever."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/hook")
        self.answers: list[Response] = [Response(status=204)]
        self.requests: list[Request] = []
        server.expect_request("/hook").respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        request.get_data()
        self.requests.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def messages(self) -> list[Json]:
        return [json.loads(request.get_data()) for request in self.requests]

    def check(self, *secrets: str) -> None:
        """Every message is signed with each secret, by the specification alone."""
        for request in self.requests:
            for secret in secrets:
                verify(secret, dict(request.headers), request.get_data(), now=int(request.headers["webhook-timestamp"]))


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


@pytest.fixture
def instance(alice: Actor, clock: Clock) -> Instance:
    """An n8n that was synced before, an hour ago."""
    return make_instance(alice, last_sync=clock() - dt.timedelta(hours=1))


@pytest.fixture
def webhook(alice: Actor, receiver: Receiver, clock: Clock) -> Webhook:
    """Told of everything, for two hours already."""
    made, _secret = make_webhook(alice, receiver.url)
    made.active_since = clock() - dt.timedelta(hours=2)
    db.session.commit()
    return made


def make_webhook(actor: Actor, url: str, **changes: Any) -> tuple[Webhook, str]:
    draft = {"name": "Chat", "url": url, "events": [event.value for event in services.CHOICES], **changes}
    return services.create_webhook(actor, services.WebhookDraft(**draft))


def deliveries(webhook: Webhook | None = None) -> list[WebhookDelivery]:
    """Oldest first."""
    statement = sa.select(WebhookDelivery).order_by(WebhookDelivery.created_at, WebhookDelivery.id)
    if webhook is not None:
        statement = statement.where(WebhookDelivery.webhook_id == webhook.id)
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))


Fail = Callable[..., None]


@pytest.fixture
def fail(instance: Instance, clock: Clock) -> Fail:
    """Let executions of n8n fail and be read, as a sync would store them."""

    def run(*numbers: int, workflow: str = "wf", minutes_ago: float = 0, status: str = "error") -> None:
        at = (clock() - dt.timedelta(minutes=minutes_ago)).isoformat()
        rows = [
            {"id": str(number), "workflowId": workflow, "status": status, "mode": "webhook", "startedAt": at, "stoppedAt": at}
            for number in numbers
        ]
        ingest_executions(instance, rows)

    return run
