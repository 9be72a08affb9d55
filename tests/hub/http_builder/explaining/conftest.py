"""A saved request that is sent, explained, changed and sent again, against a server on loopback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hub.analyses.models import AiAnalysis
from hub.contracts.actor import Actor
from hub.contracts.analysis import Diagnosis
from hub.contracts.http import RequestDefinition, RequestDraft
from hub.http_builder import services
from hub.http_builder.definitions import definition_of
from hub.http_builder.explaining.services import (
    Explanation,
    apply_suggestion,
    explain_run,
    find_explanation,
    send_again,
)
from hub.http_builder.models import Request, RequestRun
from hub.http_builder.running import get_run
from hub.http_builder.running.worker import run_queued
from tests.hub.http_builder.running.conftest import send, start_server, unwatched

__all__ = ["send", "start_server", "unwatched"]


@dataclass
class Bench:
    """What a person does, in the order in which they do it."""

    actor: Actor
    send: Callable[..., RequestRun]

    def save(self, **fields: Any) -> Request:
        """A saved request."""
        secrets = fields.pop("secrets", {})
        draft = RequestDraft(name="Make an order", definition=RequestDefinition.model_validate(fields), secrets=secrets)
        return services.create_request(self.actor, draft)

    def send_saved(self, request: Request) -> RequestRun:
        """Send it as it stands."""
        definition = definition_of(request).model_dump()
        return self.send(name=request.name, request_id=request.id, **definition)

    def explain(self, run: RequestRun) -> tuple[AiAnalysis, Diagnosis]:
        """Why it failed."""
        analysis = explain_run(self.actor, run.id)
        return analysis, Diagnosis.model_validate(analysis.analysis)

    def shown(self, run: RequestRun) -> Explanation:
        """What the page shows."""
        found = find_explanation(self.actor, get_run(self.actor, run.id))
        assert found is not None
        return found

    def apply_first(self, run: RequestRun) -> Request:
        """Apply the first change that is offered."""
        shown = self.shown(run)
        offer = next(offer for offer in shown.offers if offer.change is not None)
        assert offer.obstacle == ""
        return apply_suggestion(self.actor, run.id, offer.index, str(shown.version))

    def send_again(self, run: RequestRun) -> RequestRun:
        """Send the request as it stands after the change."""
        started = send_again(self.actor, run.id)
        run_queued(started.id)
        return get_run(self.actor, started.id)


@pytest.fixture
def bench(alice: Actor, send: Callable[..., RequestRun]) -> Bench:
    return Bench(alice, send)
