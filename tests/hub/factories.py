"""Rows for tests: an instance, workflows and executions with sensible defaults."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hub.contracts.actor import Actor
from hub.executions.models import Execution, ExecutionStatus
from hub.extensions import db
from hub.instances.models import Instance
from hub.workflows.models import Workflow

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


def make_instance(owner: Actor, name: str = "Main", **columns: Any) -> Instance:
    """A saved instance whose key opens nothing."""
    assert owner.user_id
    instance = Instance(user_id=owner.user_id, name=name, url=f"https://{name.lower()}.example.com", api_key="-", **columns)
    db.session.add(instance)
    db.session.flush()
    return instance


def make_workflow(instance: Instance, name: str = "Orders", **columns: Any) -> Workflow:
    """A saved workflow with one node."""
    columns.setdefault("n8n_id", f"n8n-{name}")
    nodes = [{"id": "1", "name": "Start", "type": "n8n-nodes-base.manualTrigger", "parameters": {}}]
    workflow = Workflow(instance_id=instance.id, name=name, nodes=nodes, connections={}, node_count=1, **columns)
    db.session.add(workflow)
    db.session.flush()
    return workflow


def make_execution(workflow: Workflow, number: int, **columns: Any) -> Execution:
    """A saved execution that began ``number`` minutes after noon; FAILED unless told otherwise."""
    columns.setdefault("status", ExecutionStatus.FAILED)
    columns.setdefault("n8n_status", "error")
    columns.setdefault("started_at", NOON + dt.timedelta(minutes=number))
    execution = Execution(
        workflow_id=workflow.id, instance_id=workflow.instance_id, n8n_execution_id=str(number), mode="webhook", **columns
    )
    db.session.add(execution)
    db.session.flush()
    return execution
