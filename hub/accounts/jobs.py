"""The room's mails that depend on who has an account, and its housekeeping."""

from __future__ import annotations

from hub.accounts import password_changes, verification
from hub.accounts.devices import drop_old_devices
from hub.accounts.rate_limits import drop_old_buckets
from hub.accounts.second_factor.pending import drop_expired
from hub.accounts.sessions import drop_dead_sessions
from hub.jobs.services import JobContext, job, periodic


@job(verification.REGISTRATION_JOB)
def mail_registration(_context: JobContext, registration_id: str) -> None:
    """Answer a registration by mail."""
    verification.mail_registration(registration_id)


@job(verification.CONFIRMATION_JOB)
def mail_confirmation(_context: JobContext, user_id: str, language: str) -> None:
    """Mail the link that confirms an address."""
    verification.mail_confirmation(user_id, language)


@job(password_changes.RESET_JOB)
def mail_reset(_context: JobContext, email: str, language: str, ip_address: str | None) -> None:
    """Mail the link that sets a new password."""
    password_changes.mail_reset(email, language, ip_address)


@periodic("accounts.housekeeping", seconds=3600)
def keep_house(_context: JobContext) -> None:
    """Forget sessions that are over, attempts that no longer count, what nobody finished, browsers nobody uses."""
    drop_dead_sessions()
    drop_old_buckets()
    verification.drop_old_registrations()
    drop_old_devices()
    drop_expired()
