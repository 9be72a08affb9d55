"""What people have beside their requests: an environment, a chain that ran, a sign-in to make, a save into n8n."""

from __future__ import annotations

import sqlalchemy as sa

from hub.contracts.actor import Actor
from hub.contracts.http import OAuth2Code, RequestDefinition, RequestDraft
from hub.extensions import db
from hub.http_builder import services
from hub.http_builder.environments import VariableDraft, create_environment, create_variable
from hub.http_builder.models import Request
from hub.http_builder.n8n.models import NodeSave, SaveState
from hub.http_builder.running import chains
from hub.identifiers import new_id
from hub.instances.models import Instance
from tests.hub.factories import make_workflow


def add_belongings() -> list[str]:
    """Add one of each to the only person; the paths of pages that the first page of a kind does not lead to."""
    requests = db.session.scalars(sa.select(Request).order_by(Request.name)).all()
    actor = Actor(user_id=requests[0].user_id)
    environment = create_environment(actor, "Staging")
    create_variable(actor, environment.id, VariableDraft("BRANCH", "north", description="متجر الشمال"))
    create_variable(actor, None, VariableDraft("API_KEY", "sk-of-nobody", is_secret=True, hosts=("api.example.com",)))
    invoices = _add_sign_in(actor)
    chain = chains.save_chain(actor, None, "Order, then invoice", [requests[0].id, invoices])
    chains.start_chain(actor, chain.id)
    return [
        f"/requests/export?request={requests[0].id}&request={requests[1].id}",
        f"/requests/oauth/sign-in?request_id={invoices}",
        f"/n8n-saves/{_add_save(requests[0])}",
        f"/requests/{requests[0].id}/n8n",
    ]


def _add_sign_in(actor: Actor) -> str:
    auth = OAuth2Code(
        authorization_url="https://auth.example.com/authorize",
        token_url="https://auth.example.com/token",
        client_id="hub",
        scope="orders.read",
    )
    draft = RequestDraft(name="Invoices", definition=RequestDefinition(url="https://api.example.com/invoices", auth=auth))
    return services.create_request(actor, draft).id


def _add_save(request: Request) -> str:
    """Into a workflow of the instance that nobody answers for."""
    instance = db.session.scalars(sa.select(Instance).where(Instance.user_id == request.user_id, ~Instance.is_sample)).one()
    workflow = make_workflow(instance, "Orders of the closed shop")
    save = NodeSave(
        id=new_id(),
        user_id=request.user_id,
        request_id=request.id,
        workflow_id=workflow.id,
        node=request.name,
        is_new=True,
        state=SaveState.SAVED,
        changes="-",
        problem="not-published",
        message="The workflow has no trigger",
    )
    db.session.add(save)
    db.session.commit()
    return save.id
