"""Who acts."""

from __future__ import annotations

import enum
from dataclasses import dataclass

#: ``Actor.via`` of what the hub does by itself on a person's behalf.
AUTOMATION = "automation"


class Role(enum.StrEnum):
    """What a user may do beyond their own objects."""

    USER = "USER"
    OPERATOR = "OPERATOR"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person, key or process in whose name a service acts. Every service that owns data takes one first.

    ``user_id`` is None only for the hub itself (``SYSTEM``): jobs that act for nobody. ``via`` is ``web``, ``api``, ``cli``,
    ``job``, or ``automation`` where the hub acts by itself for the person. ``permissions`` is None for a person (all of their
    own), or the scopes of an API key.
    """

    user_id: str | None
    role: Role = Role.USER
    via: str = "web"
    ip_address: str | None = None
    user_agent: str | None = None
    session_id: str | None = None
    permissions: frozenset[str] | None = None

    @property
    def is_operator(self) -> bool:
        return self.role is Role.OPERATOR


SYSTEM = Actor(user_id=None, via="job")
