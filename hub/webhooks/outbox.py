"""Hears what happens and writes it down for the webhooks that want to know, in the transaction of what happened.

So nothing is told that did not happen, and nothing that happened is lost with a process. The worker sends it (``sending``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from hub.analyses.models import AiAnalysis, Repair
from hub.analyses.repair_ledger import repair_verified
from hub.columns import utc_now
from hub.executions.ingest import NewFailure, failures_stored
from hub.executions.models import Execution
from hub.extensions import db
from hub.identifiers import new_id
from hub.instances.models import Instance
from hub.instances.services import instance_came_up, instance_went_down
from hub.jobs.models import JobState
from hub.jobs.services import enqueue
from hub.redaction import redact_text
from hub.sync.services import sync_failed
from hub.webhooks.models import DeliveryState, EventType, Webhook, WebhookDelivery
from hub.workflows.models import Workflow

Json = dict[str, Any]

#: The job that sends what waits for one webhook.
JOB = "webhooks.send"
#: What is older is no news: at the first sync of an instance, which brings the past, and later.
NEWS_OF_FIRST_SYNC = dt.timedelta(hours=1)
NEWS = dt.timedelta(hours=24)
#: Failures of one workflow are told together: the first ones after a short wait, the next not before the interval is over.
GROUP_WAIT = dt.timedelta(seconds=10)
GROUP_INTERVAL = dt.timedelta(seconds=60)
#: How far back a group is looked for.
_GROUP_LIFE = dt.timedelta(minutes=10)
#: Ids of further executions that one message names; ``count`` counts them all.
MAX_OTHERS = 99
MAX_MESSAGE = 300


def wake(webhook_id: str, at: dt.datetime) -> None:
    """Queue the job that sends what waits for a webhook, or bring it forward. The caller commits."""
    job = enqueue(JOB, unique_key=f"webhook:{webhook_id}", run_at=at, webhook_id=webhook_id)
    if job.state is JobState.QUEUED and job.run_at > at:
        job.run_at = at


def as_iso(value: dt.datetime | None) -> str | None:
    """A time as messages and the API write it: ISO 8601 in UTC, to the millisecond."""
    return value.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None


def short_message(text: str | None) -> str | None:
    """The beginning of an error's message without what looks like a secret."""
    return str(redact_text(text).value)[:MAX_MESSAGE] if text else None


# --- Failed executions --------------------------------------------------------------------------------------------------


@failures_stored.connect
def tell_failures(instance_id: str, *, failures: Sequence[NewFailure]) -> None:
    """Write down executions that are known to have failed, those of one workflow together."""
    instance, webhooks = _find_listeners(instance_id, EventType.EXECUTION_FAILED)
    if instance is None:
        return
    now = utc_now()
    oldest = now - (NEWS_OF_FIRST_SYNC if instance.last_sync is None else NEWS)
    for webhook in webhooks:
        since = max(oldest, webhook.active_since)
        news = [failure for failure in failures if _happened_at(failure, now) >= since]
        if news:
            _tell_news(webhook, instance, news, now)


def _happened_at(failure: NewFailure, now: dt.datetime) -> dt.datetime:
    return failure.remote.finished_at or failure.remote.started_at or now


def _tell_news(webhook: Webhook, instance: Instance, news: Sequence[NewFailure], now: dt.datetime) -> None:
    groups: dict[str, list[NewFailure]] = {}
    for failure in news:
        groups.setdefault(f"failed:{failure.workflow_id}", []).append(failure)
    newest = _find_newest(webhook.id, groups, now)
    for key, group in groups.items():
        before = newest.get(key)
        if before is not None and before.state is DeliveryState.PENDING and before.body is None:
            before.data = _join(before.data, [_describe_failure(failure) for failure in group])
        else:
            due = now + GROUP_WAIT if before is None else max(now + GROUP_WAIT, _first_sent(before, now) + GROUP_INTERVAL)
            described = [_describe_failure(failure) for failure in group]
            workflow = {"id": group[0].workflow_id, "n8nId": group[0].remote.n8n_workflow_id, "name": group[0].workflow_name}
            data = _join({"instance": _describe_instance(instance), "workflow": workflow}, described)
            _write(webhook, EventType.EXECUTION_FAILED, data, due, group_key=key)


def _find_newest(webhook_id: str, keys: Iterable[str], now: dt.datetime) -> dict[str, WebhookDelivery]:
    """The newest delivery of each group; locked, so that none is sent while failures join it."""
    recent = sa.select(WebhookDelivery).where(
        WebhookDelivery.webhook_id == webhook_id,
        WebhookDelivery.created_at > now - _GROUP_LIFE,
        WebhookDelivery.group_key.in_(list(keys)),
    )
    locked = recent.order_by(WebhookDelivery.created_at, WebhookDelivery.id).with_for_update()
    return {str(found.group_key): found for found in db.session.scalars(locked.execution_options(populate_existing=True))}


def _first_sent(delivery: WebhookDelivery, now: dt.datetime) -> dt.datetime:
    return dt.datetime.fromisoformat(delivery.log[0]["at"]) if delivery.log else now


def _describe_failure(failure: NewFailure) -> Json:
    remote = failure.remote
    return {
        "id": failure.execution_id,
        "n8nId": remote.n8n_id,
        "mode": remote.mode,
        "startedAt": as_iso(remote.started_at),
        "finishedAt": as_iso(remote.finished_at),
    }


def _join(data: Json, failures: list[Json]) -> Json:
    """The data of a group with further failures: the newest as ``execution``, the ids of the others beside it."""
    known = [data["execution"]] if data.get("execution") else []
    newest = max([*known, *failures], key=lambda failure: failure["startedAt"] or "")
    others = [*data.get("others", ()), *(each["id"] for each in [*known, *failures] if each is not newest)]
    return {**data, "execution": newest, "count": data.get("count", 0) + len(failures), "others": others[:MAX_OTHERS]}


# --- Everything else ----------------------------------------------------------------------------------------------------


@repair_verified.connect
def tell_repair(repair: Repair) -> None:
    """Write down that a repair was proven."""
    row = db.session.execute(
        sa.select(AiAnalysis.cause, Execution, Workflow)
        .join(Execution, Execution.id == AiAnalysis.execution_id)
        .join(Workflow, Workflow.id == Execution.workflow_id)
        .where(AiAnalysis.id == repair.analysis_id)
    ).one_or_none()
    if row is None:
        return
    cause, execution, workflow = row
    repaired = {"id": repair.id, "analysisId": repair.analysis_id, "cause": cause, "automatic": repair.automatic}
    data = {
        "workflow": {"id": workflow.id, "n8nId": workflow.n8n_id, "name": workflow.name},
        "execution": {"id": execution.id, "n8nId": execution.n8n_execution_id.rpartition(":")[2]},
        "repair": {**repaired, "provedByN8nId": repair.retry_n8n_execution_id},
    }
    _tell(execution.instance_id, EventType.EXECUTION_REPAIRED, data)


@instance_went_down.connect
def tell_down(instance: Instance) -> None:
    """Write down that an n8n does not answer any more."""
    _tell(instance.id, EventType.INSTANCE_DOWN, {"downSince": as_iso(instance.down_since), "error": _describe_error(instance)})


@instance_came_up.connect
def tell_up(instance: Instance) -> None:
    """Write down that an n8n answers again."""
    _tell(instance.id, EventType.INSTANCE_UP, {"downSince": as_iso(instance.down_since)})


@sync_failed.connect
def tell_sync(instance: Instance) -> None:
    """Write down that a sync was given up."""
    _tell(instance.id, EventType.SYNC_FAILED, {"error": _describe_error(instance)})


def _describe_error(instance: Instance) -> Json:
    return {"code": instance.error_code, "message": short_message(instance.last_error)}


def _describe_instance(instance: Instance) -> Json:
    return {"id": instance.id, "name": instance.name}


def _tell(instance_id: str, event: EventType, data: Json) -> None:
    instance, webhooks = _find_listeners(instance_id, event)
    for webhook in webhooks:
        _write(webhook, event, {"instance": _describe_instance(instance), **data} if instance else data, utc_now())


def _find_listeners(instance_id: str, event: EventType) -> tuple[Instance | None, list[Webhook]]:
    """The webhooks that want to know of this event of this instance, and the instance; one query. A sample tells nothing."""
    statement = (
        sa.select(Instance, Webhook)
        .join(Webhook, Webhook.user_id == Instance.user_id)
        .where(Instance.id == instance_id, Instance.is_sample.is_(False), Webhook.enabled)
        .order_by(Webhook.id)
    )
    rows = db.session.execute(statement).all()
    wanted = [webhook for _instance, webhook in rows if event in webhook.events and _is_chosen(webhook, instance_id)]
    return (rows[0][0] if wanted else None), wanted


def _is_chosen(webhook: Webhook, instance_id: str) -> bool:
    return webhook.instance_ids is None or instance_id in webhook.instance_ids


def _write(webhook: Webhook, event: EventType, data: Json, due: dt.datetime, group_key: str | None = None) -> None:
    db.session.add(
        WebhookDelivery(
            id=new_id(), webhook_id=webhook.id, type=event.value, data=data, next_attempt_at=due, group_key=group_key, log=[]
        )
    )
    wake(webhook.id, due)
