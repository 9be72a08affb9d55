"""The triggers that make the log append-only, for migrations and for the verifier that looks whether they are there.

A row of the log may go only where a checkpoint covers it, so the rule needs no switch that somebody could leave on. SQLite's
``REPLACE`` deletes without asking the triggers of DELETE, so there an INSERT of what is there already is refused as well. A later
migration that rebuilds ``audit_logs`` (SQLite) must call ``create`` again: a rebuilt table has no triggers.
"""

from __future__ import annotations

import sqlalchemy as sa

_COVERED = "SELECT 1 FROM audit_checkpoints AS c WHERE c.chain = OLD.chain AND c.sequence >= OLD.sequence"

_TAKEN = "SELECT 1 FROM audit_logs WHERE id = NEW.id OR (chain = NEW.chain AND sequence = NEW.sequence) OR rowid = NEW.rowid"

#: Name -> table and statement.
_SQLITE = {
    "audit_logs_no_replace": f"BEFORE INSERT ON audit_logs WHEN EXISTS ({_TAKEN}) BEGIN {{refuse}} END",
    "audit_checkpoints_no_replace": (
        "BEFORE INSERT ON audit_checkpoints WHEN EXISTS (SELECT 1 FROM audit_checkpoints WHERE id = NEW.id OR rowid = NEW.rowid) "
        "BEGIN {refuse} END"
    ),
    "audit_logs_no_update": "BEFORE UPDATE ON audit_logs BEGIN {refuse} END",
    "audit_logs_no_delete": f"BEFORE DELETE ON audit_logs WHEN NOT EXISTS ({_COVERED}) BEGIN {{refuse}} END",
    "audit_checkpoints_no_update": "BEFORE UPDATE ON audit_checkpoints BEGIN {refuse} END",
    "audit_checkpoints_no_delete": "BEFORE DELETE ON audit_checkpoints BEGIN {refuse} END",
}
_POSTGRESQL = {
    "audit_logs_no_update": "BEFORE UPDATE ON audit_logs FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "audit_logs_no_delete": "BEFORE DELETE ON audit_logs FOR EACH ROW EXECUTE FUNCTION audit_refuse_delete()",
    "audit_logs_no_truncate": "BEFORE TRUNCATE ON audit_logs FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "audit_checkpoints_no_update": "BEFORE DELETE OR UPDATE ON audit_checkpoints FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
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
    if connection.dialect.name == "postgresql":
        for name, body in _FUNCTIONS.items():
            connection.exec_driver_sql(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    for statement in _statements(connection).values():
        connection.exec_driver_sql(statement)


def _statements(connection: sa.Connection) -> dict[str, str]:
    """What makes each trigger, word by word as the database keeps it."""
    if connection.dialect.name == "postgresql":
        return {name: f"CREATE TRIGGER {name} {definition}" for name, definition in _POSTGRESQL.items()}
    refuse = f"SELECT RAISE(ABORT, '{_MESSAGE}');"
    return {name: f"CREATE TRIGGER {name} {definition.format(refuse=refuse)}" for name, definition in _SQLITE.items()}


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
    """Names of triggers that are not there, are switched off, or do something else than they were made for."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    else:
        found = connection.execute(
            sa.text(
                "SELECT tgname, pg_get_triggerdef(t.oid, true) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
                "WHERE tgenabled IN ('O', 'A') AND tgrelid IN ('audit_logs'::regclass, 'audit_checkpoints'::regclass) "
                "AND prosrc IN :bodies"
            ).bindparams(sa.bindparam("bodies", list(_FUNCTIONS.values()), expanding=True))
        )
    there = {row[0]: row[1] for row in found}
    return sorted(name for name, statement in _statements(connection).items() if there.get(name) != statement)
