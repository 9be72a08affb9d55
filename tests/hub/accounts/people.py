"""What the tests of accounts share: a password, a place, and the events that were written."""

from __future__ import annotations

import sqlalchemy as sa

from hub.accounts.actors import Client
from hub.accounts.models import Plan, Session, User
from hub.accounts.sessions import open_session
from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.crypto import digest_token
from hub.extensions import db
from hub.jobs.models import Job
from hub.jobs.registry import HANDLERS, JobContext
from hub.mail.services import MailboxRow, list_mailbox

PASSWORD = "correct horse battery"
HOME = Client(ip_address="192.0.2.1", user_agent="Firefox")
AWAY = Client(ip_address="198.51.100.7", user_agent="curl/8.0")


def events(action: str) -> list[AuditLog]:
    return list(db.session.execute(sa.select(AuditLog).where(AuditLog.action == action).order_by(AuditLog.created_at)).scalars())


def person(user_id: str, client: Client = HOME) -> Actor:
    """Somebody who signed in a moment ago."""
    token = open_session(user_id, client)
    session_id = db.session.scalar(sa.select(Session.id).where(Session.token == digest_token(token)))
    return client.as_actor(user_id, session_id=session_id)


def give_plan(actor: Actor, plan: Plan) -> None:
    """The plan, as if it had always been theirs."""
    db.session.execute(
        sa.update(User).where(User.id == actor.user_id).values(plan=plan, previous_plan=None, plan_changed_at=None)
    )


def run_jobs() -> int:
    """Do what a worker would, and answer how much there was."""
    jobs = list(db.session.scalars(sa.select(Job).order_by(Job.run_at, Job.id)))
    waiting = [(job.id, job.name, dict(job.arguments)) for job in jobs]
    db.session.execute(sa.delete(Job))
    for job_id, name, arguments in waiting:
        HANDLERS[name](JobContext(job_id, 1), **arguments)
    return len(waiting)


def mailbox() -> list[MailboxRow]:
    """The mails so far, oldest first, once the queue is empty."""
    run_jobs()
    return list(reversed(list_mailbox()))


def token_in(mail: MailboxRow) -> str:
    """The token of the link in a mail."""
    return mail.text.partition("token=")[2].split()[0]
