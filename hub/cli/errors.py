"""Which errors a command explains in one line."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import OperationalError, ProgrammingError

from hub.config import ConfigError
from hub.errors import HubError


@dataclass(frozen=True, slots=True)
class Explanation:
    """The line for standard error, and the exit code: 2 for a wrong configuration, 1 for everything else."""

    message: str
    exit_code: int = 1


def explain(error: Exception) -> Explanation | None:
    """One line for an error that a person can act on; None for a bug, whose traceback is wanted."""
    if isinstance(error, ConfigError):
        return Explanation(f"{error}; see: hub check-env", exit_code=2)
    if isinstance(error, HubError):
        return Explanation(error.message)
    if isinstance(error, OperationalError | ProgrammingError):
        return _explain_database(error)
    return None


def _explain_database(error: OperationalError | ProgrammingError) -> Explanation | None:
    reason = str(error.orig).strip().partition("\n")[0]
    if "no such table" in reason or ("does not exist" in reason and "relation" in reason):
        return Explanation(f"the database is not up to date ({reason}); run: hub db upgrade")
    if "locked" in reason:
        return Explanation("the database is busy with another long write; try again")
    if isinstance(error, OperationalError) and error.statement is None:
        return Explanation(f"the database cannot be opened: {reason}; check DATABASE_URL")
    return None
