"""The triggers that make the log append-only, for migrations and for the verifier that looks whether they are there.

A row of the log may go only where a checkpoint covers it, so the rule needs no switch that somebody could leave on. A later
migration that rebuilds ``audit_logs`` (SQLite) must call ``create`` again: a rebuilt table has no triggers.
"""

from __future__ import annotations

import sqlalchemy as sa

_COVERED = "SELECT 1 FROM audit_checkpoints AS c WHERE c.chain = OLD.chain AND c.sequence >= OLD.sequence"

#: Name -> table and statement.
_SQLITE = {
    "audit_logs_no_update": "BEFORE UPDATE ON audit_logs BEGIN {refuse} END",
    "audit_logs_no_delete": f"BEFORE DELETE ON audit_logs WHEN NOT EXISTS ({_COVERED}) BEGIN {{refuse}} END",
    "audit_checkpoints_no_update": "BEFORE UPDATE ON audit_checkpoints BEGIN {refuse} END",
    "audit_checkpoints_no_delete": "BEFORE DELETE ON audit_checkpoints BEGIN {refuse} END",
}
_POSTGRESQL = {
    "audit_logs_no_update": "BEFORE UPDATE ON audit_logs FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "audit_logs_no_delete": "BEFORE DELETE ON audit_logs FOR EACH ROW EXECUTE FUNCTION audit_refuse_delete()",
    "audit_logs_no_truncate": "BEFORE TRUNCATE ON audit_logs FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "audit_checkpoints_no_update": "BEFORE UPDATE OR DELETE ON audit_checkpoints FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "audit_checkpoints_no_truncate": ("BEFORE TRUNCATE ON audit_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"),
}
_MESSAGE = "the audit log is append-only"
_FUNCTIONS = {
    "audit_refuse": f"BEGIN RAISE EXCEPTION '{_MESSAGE}'; END",
    "audit_refuse_delete": (f"BEGIN IF NOT EXISTS ({_COVERED}) THEN RAISE EXCEPTION '{_MESSAGE}'; END IF; RETURN OLD; END"),
}


def create(connection: sa.Connection) -> None:
    """Make the triggers; those that are there already are made anew."""
    drop(connection)
    if connection.dialect.name == "sqlite":
        refuse = f"SELECT RAISE(ABORT, '{_MESSAGE}');"
        for name, definition in _SQLITE.items():
            connection.exec_driver_sql(f"CREATE TRIGGER {name} {definition.format(refuse=refuse)}")
        return
    for name, body in _FUNCTIONS.items():
        connection.exec_driver_sql(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    for name, definition in _POSTGRESQL.items():
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {definition}")


def drop(connection: sa.Connection) -> None:
    """Take the triggers away; for migrations only."""
    if connection.dialect.name == "sqlite":
        for name in _SQLITE:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        return
    for name, definition in _POSTGRESQL.items():
        table = definition.partition(" ON ")[2].split()[0]
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    for name in _FUNCTIONS:
        connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}()")


def find_missing(connection: sa.Connection) -> list[str]:
    """Names of triggers that are not there, or are switched off."""
    if connection.dialect.name == "sqlite":
        found = set(connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars())
        return sorted(set(_SQLITE) - found)
    enabled = sa.text(
        "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D' AND NOT tgisinternal "
        "AND tgrelid IN ('audit_logs'::regclass, 'audit_checkpoints'::regclass)"
    )
    return sorted(set(_POSTGRESQL) - set(connection.execute(enabled).scalars()))
