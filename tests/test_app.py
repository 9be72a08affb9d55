from __future__ import annotations

from flask.testing import FlaskClient

from hub.contracts.actor import Actor


def test_the_app_answers(client: FlaskClient, alice: Actor) -> None:
    assert client.get("/nowhere").status_code == 404
