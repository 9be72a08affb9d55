"""Runs of Alice with any answer, as if a server had sent it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.contracts.actor import Actor
from hub.extensions import db
from hub.http_builder.models import RequestRun, RequestRunBody, RunState
from hub.identifiers import new_id

MakeRun = Callable[..., RequestRun]


@pytest.fixture
def browser(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> FlaskClient:
    return browser_of(alice)


@pytest.fixture
def make_run(alice: Actor) -> MakeRun:
    """``make_run(b'{"a": 1}', "application/json", status_code=200, ...)``: an answered run of Alice."""

    def make(body: bytes = b"", media_type: str = "application/json", owner: Actor = alice, **columns: Any) -> RequestRun:
        url = columns.pop("url", "https://api.example.com/orders")
        columns.setdefault("response_headers", [["Content-Type", media_type]])
        columns = {"state": RunState.DONE, "status_code": 200, "reason": "OK", "duration_ms": 120.0, **columns}
        run = RequestRun(
            id=new_id(),
            user_id=owner.user_id,
            name="Orders",
            method="GET",
            url=url,
            definition=columns.pop("definition", {"url": url}),
            media_type=media_type.partition(";")[0] or None,
            body_size=len(body),
            wire_size=len(body),
            **columns,
        )
        db.session.add(run)
        db.session.flush()
        if body:
            db.session.add(RequestRunBody(run_id=run.id, content=zlib.compress(body)))
        db.session.commit()
        return run

    return make
