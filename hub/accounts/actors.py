"""Where a request comes from, and whether a person is there themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from hub.contracts.actor import Actor
from hub.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, before it is known whose it is. ``device`` is the token of a browser that was here before."""

    ip_address: str | None = None
    user_agent: str | None = None
    via: str = "web"
    device: str | None = None

    def as_actor(self, user_id: str | None, **more: Any) -> Actor:
        """An actor at this client."""
        return Actor(user_id=user_id, ip_address=self.ip_address, user_agent=self.user_agent, via=self.via, **more)


def person_of(actor: Actor) -> str:
    """The user id of a person who is there themselves: an API key manages neither sessions nor keys."""
    if actor.user_id is None or actor.permissions is not None:
        raise NotAllowed(_("Sign in to do this; an API key may not."))
    return actor.user_id
