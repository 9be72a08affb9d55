"""People of a running hub whom scanners act for."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from types import TracebackType

import requests

from hub import create_app
from hub.accounts.actors import Client
from hub.accounts.api_clients import become_program
from hub.accounts.models import Plan, Session, User
from hub.accounts.sessions import open_session
from hub.config import load_config
from hub.contracts.actor import Actor, Role
from hub.crypto import digest_token
from hub.extensions import db
from tests.live_hub import LiveHub
from tests.security.estate import build_estate
from tests.security.mutating import Target, find_targets


@dataclass(frozen=True)
class Victim:
    """Somebody signed in: cookies of a browser with the token for its forms, an access token, and the ids of what they have."""

    cookies: dict[str, str]
    form_token: str
    access_token: str
    ids: dict[str, str]

    @property
    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


class Victims:
    """Makes people in the database of a running hub."""

    def __init__(self, hub: LiveHub) -> None:
        self.hub = hub
        self._numbers = itertools.count(1)
        self.app = create_app(load_config(hub.environment))
        self.app.extensions["hub_public_host"] = None  # asked for its document without a server, under no address

    def __enter__(self) -> Victims:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        with self.app.app_context():
            db.engine.dispose()

    def make(self) -> Victim:
        """A new operator with one of everything, on the plan with the highest limit of calls."""
        with self.app.app_context():
            number = next(self._numbers)
            user = User(email=f"victim{number}@example.com", password="!", name=f"Victim {number}", email_verified=True)
            user.role, user.plan = Role.OPERATOR, Plan.ENTERPRISE
            db.session.add(user)
            db.session.commit()
            token = open_session(user.id, Client())
            session_id = db.session.query(Session.id).filter(Session.token == digest_token(token)).scalar()
            ids = build_estate(Actor(user_id=user.id, role=Role.OPERATOR, session_id=session_id))
            access = become_program(open_session(user.id, Client(via="api"))).access_token
        answer = requests.get(f"{self.hub.url}/account", cookies={"hub_session": token}, timeout=60)
        form_token = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        assert form_token, f"the account page answered {answer.status_code} without a form"
        return Victim({"hub_session": token, **answer.cookies.get_dict()}, form_token[1], access, ids)

    def targets(self, victim: Victim) -> list[Target]:
        """Every route, with what its form or body holds."""

        def read(path: str) -> str:
            return requests.get(f"{self.hub.url}{path}", cookies=victim.cookies, timeout=60).text

        with self.app.app_context():
            return find_targets(self.app, victim.ids, read)
