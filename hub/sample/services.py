"""The read-only sample instance: recorded executions, so that a newcomer meets a filled product."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask, current_app

from hub.accounts.models import User
from hub.accounts.users import user_registered
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.config import Config
from hub.contracts.actor import Actor
from hub.executions.services import import_execution
from hub.extensions import db
from hub.instances.models import Instance, InstanceStatus
from hub.sample import read_sample
from hub.workflows.ingest import ingest_workflows

#: A name that can never be reached (RFC 2606); nothing is sent to it anyway.
SAMPLE_URL = "https://sample.invalid"


def create_sample(user_id: str) -> Instance:
    """Give a person the sample instance; the one that they have already where there is one. Commits."""
    own = sa.select(Instance).where(Instance.user_id == user_id, Instance.is_sample)
    instance = db.session.scalar(own)
    if instance is not None:
        return instance
    instance = Instance(
        user_id=user_id,
        name="Sample",
        url=SAMPLE_URL,
        api_key="",
        is_sample=True,
        status=InstanceStatus.CONNECTED,
        last_sync=utc_now(),
    )
    db.session.add(instance)
    db.session.flush()
    record_event(Actor(user_id=user_id, via="job"), "instance.sample", "instance", instance.id)
    db.session.commit()
    recordings = list(read_sample(utc_now()))
    workflows = {recording["workflow"]["id"]: recording["workflow"] for recording in recordings}
    ingest_workflows(instance, list(workflows.values()))
    for recording in recordings:
        import_execution(instance, recording["execution"])
    return instance


def init_app(_app: Flask) -> None:
    """Give everybody who registers the sample, where HUB_SAMPLE says so."""
    user_registered.connect(_welcome)


def _welcome(user: User) -> None:
    config: Config = current_app.extensions["hub_config"]
    if config.sample:
        create_sample(user.id)
