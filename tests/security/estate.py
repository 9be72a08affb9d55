"""One of everything that a person may own, by the name of the route parameter that asks for it.

A route with a parameter that is not here fails ``test_isolation``: add what it stands for below.
"""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import json
from typing import Any

from flask import current_app

from hub.accounts.models import ApiKey, Plan, Session
from hub.accounts.second_factor.models import Passkey
from hub.analyses.model_tables import CallState, ModelCall
from hub.analyses.models import AiAnalysis, Repair
from hub.automation.models import AutomationLevel, AutomationRun, RunOutcome, WorkflowAutomation
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.catalog import HttpMethod
from hub.executions.models import DetailState
from hub.extensions import db
from hub.http_builder.models import Environment, Request, RequestChain, RequestChainRun, RequestRun, RunState, Variable
from hub.http_builder.n8n.models import NodeSave, SaveState
from hub.identifiers import new_id
from hub.instances.services import create_instance
from hub.jobs.services import enqueue
from hub.webhooks.models import DeliveryState, EventType, Webhook, WebhookDelivery
from hub.workflows.models import VersionKind, WorkflowVersion
from tests.hub.accounts.people import give_plan
from tests.hub.factories import make_execution, make_workflow

#: Words that stand in everything of an estate and that no stranger may read.
MARK = "Estate-of-"
_numbers = itertools.count(1)

NODE = {
    "id": "1",
    "name": "Start",
    "type": "n8n-nodes-base.manualTrigger",
    "typeVersion": 1,
    "position": [0, 0],
    "parameters": {},
}


def build_estate(owner: Actor) -> dict[str, str]:
    """Make one of everything for ``owner``; answers the ids by parameter name."""
    number = next(_numbers)
    give_plan(owner, Plan.ENTERPRISE)
    name = f"{MARK}{owner.user_id}-{number}"
    instance = create_instance(owner, name=name, url=f"http://127.77.{number // 250}.{number % 250 + 1}:5678", api_key="n8n-key")
    used = [[f"credential-{number}", name, "httpHeaderAuth"]]
    workflow = make_workflow(instance, name, tags=[name], credentials=used, version_id="v1", active_version_id="v1")
    document = {"nodes": [NODE], "connections": {}, "settings": {}, "name": name}
    version = WorkflowVersion(workflow_id=workflow.id, kind=VersionKind.DRAFT, content_hash=str(number), **document)
    error = {"message": name, "node": {"name": "Start"}}
    execution = make_execution(
        workflow,
        number,
        error_message=name,
        error_node="Start",
        error=error,
        data={"data": {"resultData": {"error": error, "runData": {}}}, "workflowData": document},
        detail_state=DetailState.STORED,
        fingerprint=f"{number:032}",
        error_node_type="n8n-nodes-base.httpRequest",
        credential_id=f"credential-{number}",
    )
    analysis = _analysis(owner, execution.id, name)
    analysis.fingerprint = execution.fingerprint
    a_year = dt.timedelta(days=365)
    session = Session(
        user_id=owner.user_id,
        token=f"{number:064}",
        refresh_token=f"r{number:063}",
        user_agent=name,
        expires_at=utc_now() + a_year,
    )
    key = ApiKey(user_id=owner.user_id, name=name, key=f"{number:064}", key_prefix="hub_12345678", permissions=["read"])
    passkey = Passkey(user_id=owner.user_id, name=name[:80], credential_id=f"{number:032}", public_key=b"", sign_count=0)
    db.session.add_all([version, analysis, session, key, passkey])
    db.session.flush()
    repair = Repair(analysis_id=analysis.id, user_id=owner.user_id, suggestion_index=0, digest="0" * 64, message=name)
    db.session.add(repair)
    db.session.flush()
    asked = {"analyzer": "openai_compatible", "model": name, "state": CallState.DONE, "sent": [name], "content": name}
    db.session.add(ModelCall(user_id=owner.user_id, analysis_id=analysis.id, notes=[{"en": name, "ar": name}], **asked))
    sealed = current_app.extensions["hub_vault"].encrypt(json.dumps(document), binding=f"repairs.pre_image:{repair.id}")
    repair.pre_image = {"sealed": sealed}
    run = AutomationRun(
        user_id=owner.user_id,
        workflow_id=workflow.id,
        execution_id=execution.id,
        level=AutomationLevel.PROPOSE,
        outcome=RunOutcome.PROPOSED,
        analysis_id=_proposed(owner, execution.id, name),
        suggestion_index=0,
        digest="0" * 64,
    )
    level = WorkflowAutomation(workflow_id=workflow.id, level=AutomationLevel.PROPOSE, set_by=owner.user_id, set_at=utc_now())
    db.session.add_all([run, level])
    db.session.flush()
    job = enqueue("sync.run", unique_key=f"sync:{instance.id}", instance_id=instance.id)
    db.session.commit()
    return {
        "instance_id": instance.id,
        "workflow_id": workflow.id,
        "version_id": version.id,
        "execution_id": execution.id,
        "fingerprint": f"{number:032}",
        "analysis_id": analysis.id,
        "repair_id": repair.id,
        "run_id": run.id,
        "session_id": session.id,
        "key_id": key.id,
        "passkey_id": passkey.id,
        "job_id": job.id,
        **_sent_requests(owner, name),
        **_saved_request(owner, workflow.id, name),
        **_webhook(owner, instance.id, name),
    }


def _sent_requests(owner: Actor, name: str) -> dict[str, str]:
    """An environment with a variable, a run, and a chain with its run."""
    environment = Environment(user_id=owner.user_id, name=name[:120])
    chain = RequestChain(user_id=owner.user_id, name=name, steps=[])
    db.session.add_all([environment, chain])
    db.session.flush()
    scope = f"environment:{environment.id}"
    variable = Variable(user_id=owner.user_id, environment_id=environment.id, scope=scope, name="NAME", value=name)
    chain_run = RequestChainRun(user_id=owner.user_id, chain_id=chain.id, state=RunState.RUNNING)
    db.session.add_all([variable, chain_run])
    db.session.flush()
    url = f"https://{name}.example"
    sent = {"user_id": owner.user_id, "name": name, "method": "GET", "url": url, "definition": {"url": url}}
    run = RequestRun(**sent, state=RunState.QUEUED)
    db.session.add_all([run, RequestRun(**sent, state=RunState.QUEUED, chain_run_id=chain_run.id)])
    db.session.commit()
    return {
        "environment_id": environment.id,
        "variable_id": variable.id,
        "chain_id": chain.id,
        "chain_run_id": chain_run.id,
        "request_run_id": run.id,
    }


def _webhook(owner: Actor, instance_id: str, name: str) -> dict[str, str]:
    """A webhook whose address is never reached, and a message to it that was given up."""
    webhook = Webhook(id=new_id(), user_id=owner.user_id, name=name, url=f"http://169.254.1.1/{name}", instance_ids=[instance_id])
    webhook.events = [EventType.EXECUTION_FAILED.value]
    secret = "whsec_" + base64.b64encode(bytes(32)).decode()
    webhook.secret = current_app.extensions["hub_vault"].encrypt(secret, binding=f"webhooks.secret:{webhook.id}")
    delivery = WebhookDelivery(webhook_id=webhook.id, type="execution.failed", state=DeliveryState.FAILED, attempts=1)
    delivery.data = {"instance": {"id": instance_id, "name": name}, "workflow": {"name": name}}
    delivery.body = json.dumps(delivery.data)
    attempt = {"at": utc_now().isoformat(), "status": 500, "error": None, "details": {}, "ms": 12.5, "answer": name}
    delivery.log = [attempt]
    db.session.add(webhook)
    db.session.flush()
    db.session.add(delivery)
    db.session.commit()
    return {"webhook_id": webhook.id, "delivery_id": delivery.id}


def _proposed(owner: Actor, execution_id: str, name: str) -> str:
    """A second analysis, whose change nobody has tried, so that it is on the list of what waits."""
    analysis = _analysis(owner, execution_id, name)
    db.session.add(analysis)
    db.session.flush()
    return analysis.id


def _analysis(owner: Actor, execution_id: str, name: str) -> AiAnalysis:
    text = {"en": name, "ar": name}
    patch = [{"op": "replace", "path": "/name", "value": name}]
    suggestion: dict[str, Any] = {"title": text, "explanation": text, "kind": "patch", "patch": patch, "confidence": 0.5}
    diagnosis = {
        "cause": "rate-limited",
        "node": "Start",
        "confidence": 0.9,
        "summary": text,
        "evidence": [{"pointer": "/error/message", "quote": name}],
        "suggestions": [suggestion],
        "source": "test",
    }
    evidence = {
        "status": "error",
        "error": {"message": name},
        "failing_node": "Start",
        "workflow": {"name": name, "nodes": [NODE], "connections": {}, "settings": {}},
    }
    return AiAnalysis(
        user_id=owner.user_id,
        execution_id=execution_id,
        error_data=evidence,
        analysis=diagnosis,
        suggestions=[suggestion],
        confidence=0.9,
        analyzer="rules",
        source=name,
        helpful=True,
        cause="rate-limited",
        node="Start",
        title=name,
    )


def _saved_request(owner: Actor, workflow_id: str, name: str) -> dict[str, str]:
    """A request, and that it was saved into the workflow."""
    request = Request(user_id=owner.user_id, name=name, method=HttpMethod.GET, url=f"https://{name}.example".lower())
    db.session.add(request)
    db.session.flush()
    save = NodeSave(id=new_id(), user_id=owner.user_id, request_id=request.id, workflow_id=workflow_id, node=name)
    save.state = SaveState.SAVED
    changes = json.dumps({"nodes": {}, "connections": {}})
    save.changes = current_app.extensions["hub_vault"].encrypt(changes, binding=f"node_saves.changes:{save.id}")
    db.session.add(save)
    db.session.commit()
    return {"request_id": request.id, "save_id": save.id}
