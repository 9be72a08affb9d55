"""The end of an account. In one short transaction it stops being an account: nobody can sign in, no key opens, no n8n is asked.
Then a job deletes what belonged to it, children first, in small batches; killed, it goes on where it stood.

The audit log stays. It holds ids, and addresses of the network until it is pruned.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts.models import User
from hub.analyses.models import AutomationStop
from hub.analyses.stop_switch import user_scope
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor, Role
from hub.extensions import Base, db
from hub.http_builder.models import RequestRun, RunState
from hub.instances.models import Instance
from hub.jobs.models import Job, JobState
from hub.jobs.services import enqueue
from hub.mail.services import send_mail
from hub.my_data.archive import Report
from hub.my_data.ownership import Person, deletion_order, owned_by, owned_tables, primary_key

JOB = "my_data.delete"
#: Rows that are deleted in one transaction.
BATCH = 500
#: The address of an account whose data is being deleted; the person may register anew meanwhile.
_GONE = "@deleted.invalid"
#: What opens something, or names the person otherwise than by id: gone before anybody is answered.
AT_ONCE = (
    *("sessions", "api_keys", "passkeys", "recovery_codes", "pending_sign_ins", "known_devices"),
    *("oauth_tokens", "variables", "import_sources", "webhooks", "mails", "registrations"),
)


def is_last_operator(user_id: str, *, lock: bool = False) -> bool:
    """Whether nobody else is an operator. With ``lock`` that stays so until the transaction ends: two cannot both go."""
    operators = sa.select(User.id).where(User.role == Role.OPERATOR, User.email.not_like(f"%{_GONE}"))
    return set(db.session.scalars(operators.with_for_update() if lock else operators)) == {user_id}


def begin_deletion(actor: Actor, person: Person, counts: dict[str, int]) -> None:
    """Make the account useless and queue the rest. Commits."""
    user = db.session.get_one(User, person.user_id)
    is_confirmed = user.email_verified
    _cancel_jobs(person)
    for table in owned_tables():
        if table.name in AT_ONCE:
            db.session.execute(sa.delete(table).where(owned_by(table, person)))
    db.session.execute(sa.update(Instance).where(Instance.user_id == person.user_id).values(api_key=""))
    waiting = RequestRun.state.in_((RunState.QUEUED, RunState.RUNNING))
    own_runs = sa.update(RequestRun).where(RequestRun.user_id == person.user_id, waiting)
    db.session.execute(own_runs.values(state=RunState.CANCELED, inputs=None).execution_options(synchronize_session=False))
    _stop_automation(person)
    db.session.execute(sa.update(User).where(User.id == person.user_id).values(_nothing_left(person)))
    db.session.expire_all()
    record_event(actor, "user.delete", "user", person.user_id, details={"counts": counts})
    enqueue(JOB, unique_key=_job_key(person.user_id), user_id=person.user_id)
    if is_confirmed:
        words = _("Your AI-HTTP Hub account and everything in it is being deleted, as you asked. This is the last mail.")
        send_mail(person.email, _("Your account was deleted"), words, purpose="account.deleted")
    db.session.commit()


def resume_deletions() -> None:
    """Queue the deletions whose job is gone. Commits."""
    for user_id in db.session.scalars(sa.select(User.id).where(User.email.like(f"%{_GONE}"))).all():
        enqueue(JOB, unique_key=_job_key(user_id), user_id=user_id)
    db.session.commit()


def run_deletion(user_id: str, report: Report) -> dict[str, int]:
    """Delete what belongs to an account whose end was begun; answers rows by table. Commits each batch."""
    email = db.session.scalar(sa.select(User.email).where(User.id == user_id))
    db.session.rollback()
    if email != _gone_address(user_id):
        return {}
    person = Person(user_id, _gone_address(user_id))
    tables = deletion_order()
    deleted: dict[str, int] = {}
    for number, table in enumerate(tables):
        while True:
            report(number, len(tables))
            if table.name == "users":
                found = {name: rows for name, rows in deleted.items() if rows}
                record_event(Actor(user_id=user_id, via="job"), "user.erased", "user", user_id, details={"rows": found})
            rows = _delete_batch(table, person)
            db.session.commit()
            deleted[table.name] = deleted.get(table.name, 0) + rows
            if rows < BATCH:
                break
    return deleted


def _delete_batch(table: sa.Table, person: Person) -> int:
    key = primary_key(table)
    batch = sa.select(key).where(owned_by(table, person)).limit(BATCH)
    return cast("sa.CursorResult[Any]", db.session.execute(sa.delete(table).where(key.in_(batch)))).rowcount


def _nothing_left(person: Person) -> dict[str, Any]:
    """Values for the row of the user, which stays until all else is gone. No password fits “!”."""
    kept = {"email": _gone_address(person.user_id), "name": "-", "password": "!", "settings": {}}
    columns = Base.metadata.tables["users"].columns
    flags = {column.name: False for column in columns if isinstance(column.type, sa.Boolean)}
    return {column.name: None for column in columns if column.nullable} | flags | {"role": Role.USER} | kept


def _stop_automation(person: Person) -> None:
    scope = user_scope(person.user_id)
    if db.session.get(AutomationStop, scope) is None:
        db.session.add(AutomationStop(scope=scope, user_id=person.user_id))
        db.session.flush()


def _cancel_jobs(person: Person) -> None:
    """End the waiting jobs that are about anything of the person. One that runs finds its keys gone and ends by itself."""
    waiting = {job_id: set(map(str, arguments.values())) for job_id, arguments in _waiting_jobs()}
    named = set().union(*waiting.values()) if waiting else set()
    own = _own_ids(person, named) | {person.user_id}
    hit = [job_id for job_id, ids in waiting.items() if ids & own]
    values = {"state": JobState.FAILED, "error": "The account was deleted.", "finished_at": utc_now()}
    db.session.execute(sa.update(Job).where(Job.id.in_(hit)).values(values).execution_options(synchronize_session=False))


def _waiting_jobs() -> list[tuple[str, dict[str, Any]]]:
    waiting = sa.select(Job.id, Job.arguments).where(Job.state == JobState.QUEUED)
    return [(job_id, arguments) for job_id, arguments in db.session.execute(waiting)]


def _own_ids(person: Person, ids: Collection[str]) -> set[str]:
    """Those of ``ids`` that name a row of the person, whatever its table."""
    if not ids:
        return set()
    found: set[str] = set()
    for table in owned_tables():
        key = primary_key(table)
        found |= set(db.session.scalars(sa.select(key).where(key.in_(ids), owned_by(table, person))))
    return found


def _gone_address(user_id: str) -> str:
    return f"deleted-{user_id}{_GONE}"


def _job_key(user_id: str) -> str:
    return f"{JOB}:{user_id}"
