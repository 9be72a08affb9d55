"""Webhooks as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.json_api import Flag, ListOf, ListQuery, Resource, Time, operation
from hub.webhooks import services
from hub.webhooks.models import DeliveryState, DisabledReason, EventType, Webhook, WebhookDelivery

_INSTANCES = "Ids of the instances that it is told of; null for all, also those to come."


class WebhookResource(Resource):
    """An address that is told what happens. Its secret is never in an answer, but for the one that made it."""

    id: str
    name: str
    url: str
    events: list[EventType]
    instance_ids: list[str] | None = Field(description=_INSTANCES)
    enabled: bool
    disabled_reason: DisabledReason | None
    failing_since: Time | None = Field(description="The first failure since the last success.")
    old_secret_until: Time | None = Field(description="Until then messages carry a signature by the old secret too.")
    created_at: Time
    updated_at: Time


class WebhookList(Resource):
    """All webhooks, by name."""

    data: list[WebhookResource]


class WebhookWithSecret(WebhookResource):
    """A webhook with its new secret."""

    secret: str = Field(description="Shown this once: whsec_ and base64.")


class NewWebhook(Resource):
    """What is needed to make a webhook."""

    name: str
    url: str = Field(description="Called by POST; https, but for addresses in your own network.")
    events: list[EventType]
    instance_ids: list[str] | None = Field(None, description=_INSTANCES)
    enabled: Flag = True


class WebhookChange(Resource):
    """What may be changed; fields left out stay."""

    name: str | None = None
    url: str | None = None
    events: list[EventType] | None = None
    instance_ids: list[str] | None = Field(None, description=_INSTANCES)
    enabled: Flag | None = Field(None, description="Enabled again, it is told of what happens from then on.")


class AttemptResource(Resource):
    """One try to deliver."""

    at: str
    status: int | None = Field(description="What was answered; null where nothing was.")
    error: str | None = Field(description="Why there was no answer: a code such as dns, connect, tls, timeout.")
    ms: float | None = Field(description="Milliseconds that it took.")
    answer: str = Field(description="The beginning of the answer, with secrets masked.")


class DeliveryRow(Resource):
    """A message to a webhook; its id is the webhook-id."""

    id: str
    type: EventType
    state: DeliveryState
    next_attempt_at: Time | None
    finished_at: Time | None
    attempts: list[AttemptResource] = Field(description="Oldest first.")
    created_at: Time


class DeliveryResource(DeliveryRow):
    """A message with what was sent."""

    body: str | None = Field(description="The message as it is sent, byte for byte; null before the first attempt.")


class DeliveryList(ListOf[DeliveryRow]):
    """A page of deliveries, newest first."""


class DeliveryQuery(ListQuery):
    """Which deliveries."""

    state: DeliveryState | None = None


@operation("GET", "/webhooks", scope="webhooks:read", answer=WebhookList)
def list_webhooks() -> Any:
    """Your webhooks, by name."""
    return WebhookList(data=[_resource(row.webhook) for row in services.list_webhooks(current_actor())])


@operation("POST", "/webhooks", scope="webhooks:write", answer=WebhookWithSecret, status=201, errors=(400, 404, 409, 415))
def create_webhook(json: NewWebhook) -> Any:
    """Make a webhook. The answer holds its secret, which is shown this once."""
    webhook, secret = services.create_webhook(current_actor(), services.WebhookDraft(**dict(json)))
    return _with_secret(webhook, secret), {"Location": f"/api/v1/webhooks/{webhook.id}"}


@operation("GET", "/webhooks/<webhook_id>", scope="webhooks:read", answer=WebhookResource, errors=(404,))
def get_webhook(webhook_id: str) -> Any:
    """One webhook."""
    return _resource(services.get_webhook(current_actor(), webhook_id))


@operation("PATCH", "/webhooks/<webhook_id>", scope="webhooks:write", answer=WebhookResource, errors=(400, 404, 415))
def update_webhook(webhook_id: str, json: WebhookChange) -> Any:
    """Change a webhook. Disabling gives up what waits."""
    present = services.get_webhook(current_actor(), webhook_id)
    said = {name: getattr(json, name) for name in json.model_fields_set}
    kept = {name: getattr(present, name) for name in ("name", "url", "events", "instance_ids", "enabled")}
    change = {name: value for name, value in said.items() if value is not None or name == "instance_ids"}
    return _resource(services.update_webhook(current_actor(), webhook_id, services.WebhookDraft(**{**kept, **change})))


@operation("DELETE", "/webhooks/<webhook_id>", scope="webhooks:write", answer=None, errors=(404,))
def delete_webhook(webhook_id: str) -> None:
    """Delete a webhook with all that was sent to it."""
    services.delete_webhook(current_actor(), webhook_id)


@operation("POST", "/webhooks/<webhook_id>/secret", scope="webhooks:write", answer=WebhookWithSecret, status=201, errors=(404,))
def renew_webhook_secret(webhook_id: str) -> Any:
    """Make a new secret. For a day messages carry a signature by the old one too."""
    return _with_secret(*services.renew_secret(current_actor(), webhook_id))


@operation("POST", "/webhooks/<webhook_id>/test", scope="webhooks:write", answer=DeliveryResource, errors=(404, 429))
def test_webhook(webhook_id: str) -> Any:
    """Send a ping now and answer what came of it."""
    return DeliveryResource(**_delivery(delivery := services.test_webhook(current_actor(), webhook_id)), body=delivery.body)


@operation("GET", "/webhooks/<webhook_id>/deliveries", scope="webhooks:read", answer=DeliveryList, errors=(404,))
def list_webhook_deliveries(webhook_id: str, query: DeliveryQuery) -> Any:
    """What was sent to a webhook, newest first."""
    page = services.list_deliveries(current_actor(), webhook_id, **dict(query))
    return DeliveryList(data=[DeliveryRow(**_delivery(row)) for row in page.rows], next_cursor=page.next_cursor)


_DELIVERY = "/webhooks/<webhook_id>/deliveries/<delivery_id>"


@operation("GET", _DELIVERY, scope="webhooks:read", answer=DeliveryResource, errors=(404,))
def get_webhook_delivery(webhook_id: str, delivery_id: str) -> Any:
    """One message with its attempts."""
    delivery = services.get_delivery(current_actor(), webhook_id, delivery_id)
    return DeliveryResource(**_delivery(delivery), body=delivery.body)


@operation(
    "POST",
    f"{_DELIVERY}/redeliver",
    scope="webhooks:write",
    answer=DeliveryResource,
    status=202,
    errors=(404, 409),
)
def redeliver_webhook_delivery(webhook_id: str, delivery_id: str) -> Any:
    """Send a message once more, under the same id."""
    delivery = services.redeliver(current_actor(), webhook_id, delivery_id)
    return DeliveryResource(**_delivery(delivery), body=delivery.body)


def _resource(webhook: Webhook) -> WebhookResource:
    return WebhookResource.model_validate(webhook)


def _with_secret(webhook: Webhook, secret: str) -> WebhookWithSecret:
    return WebhookWithSecret(**_resource(webhook).model_dump(by_alias=False), secret=secret)


def _delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    names = ("id", "type", "state", "next_attempt_at", "finished_at", "created_at")
    attempts = [{name: each[name] for name in AttemptResource.model_fields} for each in delivery.log]
    return {**{name: getattr(delivery, name) for name in names}, "attempts": attempts}
