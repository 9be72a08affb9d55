"""Chains of requests as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.contracts.catalog import HttpMethod
from hub.http_builder.models import RequestChain, RunState
from hub.http_builder.running import chains as services
from hub.json_api import Resource, Time, operation


class ChainRowResource(Resource):
    """A chain in a list, with how its last run went."""

    id: str
    name: str
    steps: int = Field(description="How many.")
    last_run_id: str | None
    last_state: RunState | None
    last_run_at: Time | None


class ChainList(Resource):
    """All chains, by name."""

    data: list[ChainRowResource]


class ChainResource(Resource):
    """A chain: requests that are sent one after the other, each with what the earlier ones extracted."""

    id: str
    name: str
    steps: list[str] = Field(description="Ids of requests, in order.")
    created_at: Time
    updated_at: Time


class ChainInput(Resource):
    """A chain as it shall be."""

    name: str
    steps: list[str] = Field(description="Ids of requests, in order.")


class NewChainRun(Resource):
    """How to run a chain."""

    environment_id: str | None = Field(None, description="Left out: the active environment.")


class ChainStepResource(Resource):
    """One step of a chain's run; ask /runs/{runId} for the rest."""

    run_id: str
    request_id: str | None
    name: str
    method: HttpMethod
    url: str
    state: RunState
    status_code: int | None
    passed: bool | None
    duration_ms: float | None


class ChainRunResource(Resource):
    """How a run of a chain stands."""

    id: str
    chain_id: str
    chain_name: str
    state: RunState
    created_at: Time
    finished_at: Time | None
    steps: list[ChainStepResource]


@operation("GET", "/chains", scope="requests:read", answer=ChainList)
def list_chains() -> Any:
    """Your chains."""
    return ChainList(data=[ChainRowResource.model_validate(row) for row in services.list_chains(current_actor())])


@operation("POST", "/chains", scope="requests:write", answer=ChainResource, status=201, errors=(409,))
def create_chain(json: ChainInput) -> Any:
    """Make a chain of saved requests."""
    made = services.save_chain(current_actor(), None, json.name, json.steps)
    return _chain(made), {"Location": f"/api/v1/chains/{made.id}"}


@operation("GET", "/chains/<chain_id>", scope="requests:read", answer=ChainResource, errors=(404,))
def get_chain(chain_id: str) -> Any:
    """One chain with its steps."""
    return _chain(services.get_chain(current_actor(), chain_id))


@operation("PUT", "/chains/<chain_id>", scope="requests:write", answer=ChainResource, errors=(404, 409))
def update_chain(chain_id: str, json: ChainInput) -> Any:
    """Change a chain's name and steps."""
    return _chain(services.save_chain(current_actor(), chain_id, json.name, json.steps))


@operation("DELETE", "/chains/<chain_id>", scope="requests:write", answer=None, errors=(404,))
def delete_chain(chain_id: str) -> None:
    """Delete a chain with its runs."""
    services.delete_chain(current_actor(), chain_id)


@operation("POST", "/chains/<chain_id>/runs", scope="runs:write", answer=ChainRunResource, status=202, errors=(404, 409))
def run_chain(chain_id: str, json: NewChainRun) -> Any:
    """Send the requests of a chain, one after the other, until one fails."""
    run = services.start_chain(current_actor(), chain_id, json.environment_id)
    return _run(run.id), {"Location": f"/api/v1/chain-runs/{run.id}"}


@operation("GET", "/chain-runs/<chain_run_id>", scope="runs:read", answer=ChainRunResource, errors=(404,))
def get_chain_run(chain_run_id: str) -> Any:
    """How a run of a chain stands."""
    return _run(chain_run_id)


@operation("POST", "/chain-runs/<chain_run_id>/cancel", scope="runs:write", answer=ChainRunResource, errors=(404, 409))
def cancel_chain_run(chain_run_id: str) -> Any:
    """Give up a run of a chain."""
    services.cancel_chain_run(current_actor(), chain_run_id)
    return _run(chain_run_id)


def _chain(chain: RequestChain) -> ChainResource:
    return ChainResource.model_validate(chain)


def _run(chain_run_id: str) -> ChainRunResource:
    return ChainRunResource.model_validate(services.show_chain_run(current_actor(), chain_run_id))
