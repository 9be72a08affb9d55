"""Pages of webhooks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.errors import Conflict, HubError, Invalid, TooMany
from hub.htmx import go_to, render
from hub.webhooks import services
from hub.webhooks.models import DeliveryState, Webhook
from hub.webhooks.snippets import SNIPPETS
from hub.webhooks.words import EVENTS, describe_attempt, describe_disabled, describe_event

bp = Blueprint("webhooks", __name__)


@bp.get("/webhooks")
def index() -> ResponseReturnValue:
    """The person's webhooks."""
    return render(
        "webhooks/index.html",
        rows=services.list_webhooks(current_actor()),
        most=services.MAX_WEBHOOKS,
        describe_event=describe_event,
    )


@bp.get("/webhooks/new")
def new() -> ResponseReturnValue:
    """The form for a new one."""
    return _form({"events": [event.value for event in services.CHOICES], "all_instances": "1", "enabled": "1"})


@bp.post("/webhooks")
def create() -> ResponseReturnValue:
    """Make it, and show its secret this once."""
    try:
        webhook, secret = services.create_webhook(current_actor(), _draft())
    except (Invalid, Conflict) as error:
        return _form(_typed(), error=error), error.status
    return _secret_page(webhook, secret), 201


@bp.get("/webhooks/<webhook_id>")
def show(webhook_id: str) -> ResponseReturnValue:
    """One webhook with what was sent to it."""
    actor = current_actor()
    webhook = services.get_webhook(actor, webhook_id)
    wanted = request.args.get("state", "")
    state = DeliveryState(wanted) if wanted in list(DeliveryState) else None
    cursor = request.args.get("cursor")
    page = services.list_deliveries(actor, webhook_id, state=state, cursor=cursor)
    here: dict[str, Any] = {"webhook_id": webhook_id, **({"state": state.value} if state else {})}
    return render(
        "webhooks/show.html",
        block="deliveries",
        webhook=webhook,
        deliveries=page.rows,
        state=state,
        names=dict(services.list_choices(actor)),
        next_url=url_for("webhooks.show", **here, cursor=page.next_cursor) if page.next_cursor else None,
        first_url=url_for("webhooks.show", **here) if cursor else None,
        disabled=None if webhook.enabled else describe_disabled(webhook.disabled_reason),
        describe_event=describe_event,
        describe_attempt=describe_attempt,
        snippets=SNIPPETS,
    )


@bp.get("/webhooks/<webhook_id>/edit")
def edit(webhook_id: str) -> ResponseReturnValue:
    """The same form for one that is there."""
    webhook = services.get_webhook(current_actor(), webhook_id)
    values = {
        "name": webhook.name,
        "url": webhook.url,
        "events": webhook.events,
        "instances": webhook.instance_ids or [],
        "all_instances": "1" if webhook.instance_ids is None else "",
        "enabled": "1" if webhook.enabled else "",
    }
    return _form(values, webhook=webhook)


@bp.post("/webhooks/<webhook_id>/edit")
def update(webhook_id: str) -> ResponseReturnValue:
    """Save the changes."""
    actor = current_actor()
    try:
        services.update_webhook(actor, webhook_id, _draft())
    except Invalid as error:
        return _form(_typed(), webhook=services.get_webhook(actor, webhook_id), error=error), error.status
    flash(_("Saved."), "success")
    return go_to("webhooks.show", webhook_id=webhook_id)


@bp.post("/webhooks/<webhook_id>/delete")
def delete(webhook_id: str) -> ResponseReturnValue:
    """Forget it."""
    services.delete_webhook(current_actor(), webhook_id)
    flash(_("The webhook was deleted."), "success")
    return go_to("webhooks.index")


@bp.post("/webhooks/<webhook_id>/secret")
def renew_secret(webhook_id: str) -> ResponseReturnValue:
    """Make a new secret and show it this once."""
    webhook, secret = services.renew_secret(current_actor(), webhook_id)
    return _secret_page(webhook, secret), 201


@bp.post("/webhooks/<webhook_id>/test")
def test(webhook_id: str) -> ResponseReturnValue:
    """Send a test now and show what came of it."""
    try:
        delivery = services.test_webhook(current_actor(), webhook_id)
    except TooMany as error:
        flash(error.message, "error")
        return go_to("webhooks.show", webhook_id=webhook_id)
    return go_to("webhooks.delivery", webhook_id=webhook_id, delivery_id=delivery.id)


@bp.get("/webhooks/<webhook_id>/deliveries/<delivery_id>")
def delivery(webhook_id: str, delivery_id: str) -> ResponseReturnValue:
    """One message with its attempts."""
    actor = current_actor()
    found = services.get_delivery(actor, webhook_id, delivery_id)
    return render(
        "webhooks/delivery.html",
        block="delivery",
        webhook=services.get_webhook(actor, webhook_id),
        delivery=found,
        message=json.dumps(json.loads(found.body), indent=2, ensure_ascii=False) if found.body else None,
        times={attempt["at"]: dt.datetime.fromisoformat(attempt["at"]) for attempt in found.log},
        describe_event=describe_event,
        describe_attempt=describe_attempt,
    )


@bp.post("/webhooks/<webhook_id>/deliveries/<delivery_id>/redeliver")
def redeliver(webhook_id: str, delivery_id: str) -> ResponseReturnValue:
    """Send a message once more."""
    try:
        services.redeliver(current_actor(), webhook_id, delivery_id)
    except Conflict as error:
        flash(error.message, "error")
    else:
        flash(_("It is sent again in a moment."), "success")
    return go_to("webhooks.delivery", webhook_id=webhook_id, delivery_id=delivery_id)


def _draft() -> services.WebhookDraft:
    form = request.form
    return services.WebhookDraft(
        name=form.get("name", ""),
        url=form.get("url", ""),
        events=form.getlist("events"),
        instance_ids=None if form.get("all_instances") else form.getlist("instances"),
        enabled=bool(form.get("enabled")),
    )


def _typed() -> dict[str, Any]:
    form = request.form
    return {**form.to_dict(), "events": form.getlist("events"), "instances": form.getlist("instances")}


def _form(values: Mapping[str, Any], *, webhook: Webhook | None = None, error: HubError | None = None) -> str:
    return render(
        "webhooks/form.html",
        values=values,
        webhook=webhook,
        error=error,
        fields=error.fields if isinstance(error, Invalid) else {},
        events=[(event.value, EVENTS[event]) for event in services.CHOICES],
        instances=services.list_choices(current_actor()),
    )


def _secret_page(webhook: Webhook, secret: str) -> str:
    return render("webhooks/secret.html", webhook=webhook, secret=secret, snippets=SNIPPETS)
