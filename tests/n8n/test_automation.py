"""The highest rung on a real n8n: a webhook workflow fails, and is repaired, proven and published with nobody clicking."""

from __future__ import annotations

import sqlalchemy as sa

from hub.analyses.models import Repair, RepairState, Verdict
from hub.automation import services
from hub.automation.models import AutomationLevel, AutomationRun, RunOutcome
from hub.executions.models import Execution
from hub.extensions import db
from hub.jobs import services as jobs
from hub.jobs.models import Job, JobState
from hub.jobs.registry import HANDLERS, JobContext
from hub.sync.services import request_sync
from hub.workflows.models import Workflow
from tests.n8n.test_repair import Bed, bed, chain, credential, fetch_customers, pytestmark, service, set_name

__all__ = ["bed", "credential", "pytestmark", "service"]


def work_off() -> None:
    """What a worker does, one job after the other, until none is due."""
    while True:
        job = db.session.scalars(sa.select(Job).where(Job.state == JobState.QUEUED).order_by(Job.run_at)).first()
        if job is None:
            return
        job_id, name, arguments = job.id, job.name, dict(job.arguments)
        assert jobs.claim_job(job_id) is not None
        context = JobContext(job_id, 1)
        HANDLERS[name](context, **arguments)
        jobs.finish_job(context)


def sync(bed: Bed) -> None:
    request_sync(bed.actor, bed.instance.id)
    work_off()


def test_a_failing_webhook_workflow_repairs_itself(bed: Bed, service: str, credential: dict[str, object]) -> None:
    """The rules find it by themselves: an expression that lacks its sign, in a node whose address has none to lack."""
    broken = chain(
        "Repairs itself", fetch_customers(f"{service}/{{{{ $json.body.path }}}}", credential), set_name("={{ $json.name }}")
    )
    workflow_id = bed.n8n.create_workflow(broken)
    sync(bed)  # the workflow is known, and what comes from now on is new
    known = services.list_runs(bed.actor).rows
    hub_id = db.session.scalars(sa.select(Workflow.id).where(Workflow.n8n_id == workflow_id)).one()
    services.set_level(bed.actor, hub_id, AutomationLevel.PUBLISH)
    before = bed.workflow(workflow_id)
    bed.n8n.run_webhook(workflow_id, {"method": "POST", "path": "repairs-itself", "body": {"path": "customers"}})
    sync(bed)
    assert known == []
    run = db.session.scalars(sa.select(AutomationRun).execution_options(populate_existing=True)).one()
    assert run.outcome is RunOutcome.REPAIR, (run.reason, run.details)
    done = db.session.get_one(Repair, run.repair_id, populate_existing=True)
    assert (done.state, done.verdict, done.automatic) == (RepairState.APPLIED, Verdict.VERIFIED, True), done.message
    after = bed.workflow(workflow_id)
    assert after["activeVersionId"] == after["versionId"] == done.new_version_id != before["versionId"]
    sync(bed)  # the retry comes back, and nothing follows from it
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Repair)) == 1
    answered = bed.n8n.run_webhook(workflow_id, {"method": "POST", "path": "repairs-itself", "body": {"path": "customers"}})
    assert answered["status"] == "success"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Execution).where(Execution.retry_of.is_not(None))) == 1
