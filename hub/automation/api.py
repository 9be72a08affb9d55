"""Automation as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.analyses.models import RepairState, Verdict
from hub.automation import services
from hub.automation.models import AutomationLevel, RunOutcome
from hub.automation.words import describe_reason
from hub.instances.services import get_instance
from hub.json_api import Flag, ListOf, ListQuery, Resource, Time, list_answer, operation


class AutomationResource(Resource):
    """How far automation goes with a workflow."""

    workflow_id: str
    level: AutomationLevel
    set_at: Time | None = Field(description="Failures that began earlier are left alone; null where nobody set a level.")
    lowered_at: Time | None = Field(description="When the hub fell back to PROPOSE, because repairs did not hold.")


class NewLevel(Resource):
    """The level to set."""

    level: AutomationLevel


class AutomationRunResource(Resource):
    """What was done about one failed execution."""

    id: str
    workflow_id: str
    workflow_name: str
    execution_id: str
    level: AutomationLevel
    outcome: RunOutcome
    reason: str | None
    cause: str | None
    node: str | None
    analysis_id: str | None
    repair_id: str | None
    repair_state: RepairState | None
    verdict: Verdict | None
    suggestion_index: int | None
    digest: str | None = Field(description="Of the proposed change; send it with the repair.")
    created_at: Time


class AutomationRunList(ListOf[AutomationRunResource]):
    """A page of what automation did, newest first."""


class AutomationRunQuery(ListQuery):
    """Which runs."""

    workflow_id: str | None = None


class SwitchResource(Resource):
    """The stop switch."""

    stopped: bool = Field(description="Whether you stopped everything of yours.")
    stopped_by_operator: bool


class InstanceSwitchResource(Resource):
    """The stop switch of one n8n."""

    stopped: bool


class NewSwitch(Resource):
    """Stop it, or let it go on."""

    stopped: Flag


@operation("GET", "/workflows/<workflow_id>/automation", scope="automation:read", answer=AutomationResource, errors=(404,))
def get_workflow_automation(workflow_id: str) -> Any:
    """How far automation goes with a workflow."""
    return _level(services.get_level(current_actor(), workflow_id))


@operation(
    "PUT",
    "/workflows/<workflow_id>/automation",
    scope="automation:write",
    answer=AutomationResource,
    errors=(404, 409),
)
def set_workflow_automation(workflow_id: str, json: NewLevel) -> Any:
    """Say how far automation may go with a workflow."""
    return _level(services.set_level(current_actor(), workflow_id, json.level))


@operation("GET", "/automation/runs", scope="automation:read", answer=AutomationRunList)
def list_automation_runs(query: AutomationRunQuery) -> Any:
    """What automation did and what it left, newest first."""
    page = services.list_runs(current_actor(), **dict(query))
    answer = list_answer(AutomationRunList, AutomationRunResource, page)
    for shown, row in zip(answer.data, page.rows, strict=True):
        shown.reason = describe_reason(row.reason, row.details) or None
    return answer


@operation("GET", "/automation/switch", scope="automation:read", answer=SwitchResource)
def get_automation_switch() -> Any:
    """Whether automation is stopped."""
    return _switch()


@operation("PUT", "/automation/switch", scope="automation:write", answer=SwitchResource)
def set_automation_switch(json: NewSwitch) -> Any:
    """Stop everything of yours at once, also what is queued, or let it go on."""
    services.set_switch(current_actor(), stopped=json.stopped)
    return _switch()


@operation(
    "GET", "/instances/<instance_id>/automation-switch", scope="automation:read", answer=InstanceSwitchResource, errors=(404,)
)
def get_instance_automation_switch(instance_id: str) -> Any:
    """Whether automation is stopped on one n8n."""
    return _instance_switch(get_instance(current_actor(), instance_id).id)


@operation(
    "PUT", "/instances/<instance_id>/automation-switch", scope="automation:write", answer=InstanceSwitchResource, errors=(404,)
)
def set_instance_automation_switch(instance_id: str, json: NewSwitch) -> Any:
    """Stop automation on one n8n at once, also what is queued, or let it go on."""
    services.set_switch(current_actor(), stopped=json.stopped, instance_id=instance_id)
    return _instance_switch(instance_id)


@operation("POST", "/automation/runs/<run_id>/dismiss", scope="automation:write", answer=None, errors=(404,))
def dismiss_automation_run(run_id: str) -> None:
    """Take a proposal off the list of what waits."""
    services.dismiss_run(current_actor(), run_id)


def _instance_switch(instance_id: str) -> InstanceSwitchResource:
    found = services.get_switch(current_actor(), [instance_id])
    return InstanceSwitchResource(stopped=instance_id in found.instances)


def _level(automation: Any) -> AutomationResource:
    is_set = automation.set_by is not None
    return AutomationResource(
        workflow_id=automation.workflow_id,
        level=automation.level,
        set_at=automation.set_at if is_set else None,
        lowered_at=automation.lowered_at,
    )


def _switch() -> SwitchResource:
    found = services.get_switch(current_actor())
    return SwitchResource(stopped=found.own, stopped_by_operator=found.hub)
