"""What the tests of accounts share: a password, a place, and the events that were written."""

from __future__ import annotations

import sqlalchemy as sa

from hub.accounts.actors import Client
from hub.audit.models import AuditLog
from hub.extensions import db

PASSWORD = "correct horse battery"
HOME = Client(ip_address="192.0.2.1", user_agent="Firefox")


def events(action: str) -> list[AuditLog]:
    return list(db.session.execute(sa.select(AuditLog).where(AuditLog.action == action)).scalars())
