"""The migrated schema against the seed's facts, written down by hand: fields, types, defaults, unique rules, deletes, indexes."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.database.migrations import upgrade_database
from hub.extensions import db


class Fact(NamedTuple):
    """One field: kind, whether it may be null, and its default in the database (None for none)."""

    kind: str
    nullable: bool = False
    default: str | None = None


KEY, TEXT, NUMBER, TIME, JSON = Fact("text"), Fact("text"), Fact("float"), Fact("time"), Fact("json")
OPTIONAL_TEXT, OPTIONAL_TIME, OPTIONAL_JSON = Fact("text", True), Fact("time", True), Fact("json", True)
NO, YES, ZERO, OBJECT, LIST = (
    Fact("bool", False, "false"),
    Fact("bool", False, "true"),
    Fact("int", False, "0"),
    Fact("json", False, "{}"),
    Fact("json", False, "[]"),
)
NOW = Fact("time", False, "now")

FIELDS: dict[str, dict[str, Fact]] = {
    "users": {
        "id": KEY,
        "email": TEXT,
        "password": TEXT,
        "name": TEXT,
        "avatar": OPTIONAL_TEXT,
        "plan": Fact("text", False, "FREE"),
        "settings": OBJECT,
        "email_verified": NO,
        "verify_token": OPTIONAL_TEXT,
        "reset_token": OPTIONAL_TEXT,
        "reset_token_exp": OPTIONAL_TIME,
        "two_factor_enabled": NO,
        "two_factor_secret": OPTIONAL_TEXT,
        "created_at": NOW,
        "updated_at": TIME,
    },
    "sessions": {
        "id": KEY,
        "user_id": TEXT,
        "token": TEXT,
        "refresh_token": TEXT,
        "user_agent": OPTIONAL_TEXT,
        "ip_address": OPTIONAL_TEXT,
        "expires_at": TIME,
        "created_at": NOW,
    },
    "instances": {
        "id": KEY,
        "user_id": TEXT,
        "name": TEXT,
        "url": TEXT,
        "api_key": TEXT,
        "status": Fact("text", False, "DISCONNECTED"),
        "version": OPTIONAL_TEXT,
        "last_sync": OPTIONAL_TIME,
        "last_error": OPTIONAL_TEXT,
        "created_at": NOW,
        "updated_at": TIME,
    },
    "workflows": {
        "id": KEY,
        "instance_id": TEXT,
        "n8n_id": TEXT,
        "name": TEXT,
        "active": NO,
        "nodes": JSON,
        "connections": JSON,
        "settings": OBJECT,
        "tags": LIST,
        "total_executions": ZERO,
        "successful_executions": ZERO,
        "created_at": NOW,
        "updated_at": TIME,
    },
    "executions": {
        "id": KEY,
        "workflow_id": TEXT,
        "n8n_execution_id": TEXT,
        "status": TEXT,
        "mode": TEXT,
        "data": OPTIONAL_JSON,
        "error": OPTIONAL_JSON,
        "started_at": TIME,
        "finished_at": OPTIONAL_TIME,
        "duration": Fact("float", True),
    },
    "requests": {
        "id": KEY,
        "user_id": TEXT,
        "name": TEXT,
        "description": OPTIONAL_TEXT,
        "method": TEXT,
        "url": TEXT,
        "headers": OBJECT,
        "params": OBJECT,
        "body": OPTIONAL_JSON,
        "auth": OPTIONAL_JSON,
        "last_used": OPTIONAL_TIME,
        "usage_count": ZERO,
        "favorite": NO,
        "tags": LIST,
        "created_at": NOW,
        "updated_at": TIME,
    },
    "api_keys": {
        "id": KEY,
        "user_id": TEXT,
        "name": TEXT,
        "key": TEXT,
        "key_prefix": TEXT,
        "permissions": LIST,
        "last_used_at": OPTIONAL_TIME,
        "expires_at": OPTIONAL_TIME,
        "is_revoked": NO,
        "created_at": NOW,
    },
    "ai_analyses": {
        "id": KEY,
        "user_id": TEXT,
        "execution_id": OPTIONAL_TEXT,
        "error_data": JSON,
        "request_data": OPTIONAL_JSON,
        "analysis": JSON,
        "suggestions": JSON,
        "confidence": NUMBER,
        "applied": NO,
        "helpful": Fact("bool", True),
        "created_at": NOW,
    },
    "templates": {
        "id": KEY,
        "service_id": TEXT,
        "service_name": TEXT,
        "service_icon": OPTIONAL_TEXT,
        "category": TEXT,
        "endpoint_id": TEXT,
        "endpoint_name": TEXT,
        "description": OPTIONAL_TEXT,
        "method": TEXT,
        "url_template": TEXT,
        "headers": OBJECT,
        "body_template": OPTIONAL_JSON,
        "variables": LIST,
        "documentation": OPTIONAL_TEXT,
        "is_official": YES,
        "usage_count": ZERO,
        "created_at": NOW,
        "updated_at": TIME,
    },
    "audit_logs": {
        "id": KEY,
        "user_id": OPTIONAL_TEXT,
        "action": TEXT,
        "resource": TEXT,
        "resource_id": OPTIONAL_TEXT,
        "ip_address": OPTIONAL_TEXT,
        "user_agent": OPTIONAL_TEXT,
        "success": Fact("bool"),
        "details": OPTIONAL_JSON,
        "created_at": NOW,
    },
}

UNIQUE = {
    "users": {("email",), ("verify_token",), ("reset_token",)},
    "sessions": {("token",), ("refresh_token",)},
    "instances": {("user_id", "url")},
    "workflows": {("instance_id", "n8n_id")},
    "executions": {("workflow_id", "n8n_execution_id")},
    "requests": set(),
    "api_keys": {("key",)},
    "ai_analyses": set(),
    "templates": {("service_id", "endpoint_id")},
    "audit_logs": set(),
}

#: Table -> column -> (table it refers to, what a delete there does).
REFERENCES = {
    "users": {},
    "sessions": {"user_id": ("users", "CASCADE")},
    "instances": {"user_id": ("users", "CASCADE")},
    "workflows": {"instance_id": ("instances", "CASCADE")},
    "executions": {"workflow_id": ("workflows", "CASCADE")},
    "requests": {"user_id": ("users", "CASCADE")},
    "api_keys": {"user_id": ("users", "CASCADE")},
    "ai_analyses": {"user_id": ("users", "CASCADE"), "execution_id": ("executions", "SET NULL")},
    "templates": {},
    "audit_logs": {},
}

#: Indexed columns; a minus stands for descending. The named ones are the seed's list of important indexes.
INDEXES = {
    "users": {"email"},
    "sessions": {"user_id", "token"},
    "instances": {"user_id", "status", "user_id status"},
    "workflows": {"instance_id", "active"},
    "executions": {"workflow_id", "status", "-started_at", "workflow_id status"},
    "requests": {"user_id", "method"},
    "api_keys": {"user_id", "key"},
    "ai_analyses": {"user_id", "execution_id"},
    "templates": {"service_id", "category"},
    "audit_logs": {"user_id", "action", "-created_at", "user_id action"},
}
NAMED_INDEXES = {
    "idx_users_email",
    "idx_instances_user_status",
    "idx_workflows_instance",
    "idx_executions_workflow_status",
    "idx_executions_started_at",
    "idx_requests_user",
    "idx_audit_logs_user_action",
    "idx_audit_logs_created",
}

ENUMS = {
    ("users", "plan"): {"FREE", "PRO", "TEAM", "ENTERPRISE"},
    ("instances", "status"): {"CONNECTED", "DISCONNECTED", "ERROR", "SYNCING"},
    ("executions", "status"): {"RUNNING", "SUCCESS", "FAILED", "WAITING", "CANCELED"},
    ("requests", "method"): {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"},
    ("templates", "method"): {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"},
}


@pytest.fixture
def inspector(empty_app: Flask) -> Any:
    with empty_app.app_context():
        upgrade_database()
        yield sa.inspect(db.engine)


def kind_of(column_type: sa.types.TypeEngine[Any]) -> str:
    kinds = (
        (sa.JSON, "json"),
        (sa.Boolean, "bool"),
        (sa.DateTime, "time"),
        (sa.Float, "float"),
        (sa.Integer, "int"),
        (sa.String, "text"),
    )
    return next(name for kind, name in kinds if isinstance(column_type, kind))


def default_of(text: str | None) -> str | None:
    """Both databases' ways to write a default, as one."""
    if text is None:
        return None
    if "strftime" in text or text in ("now()", "CURRENT_TIMESTAMP"):
        return "now"
    return text.split("::")[0].strip("'")


def test_every_field_of_the_seed_is_there(inspector: sa.Inspector) -> None:
    for table, facts in FIELDS.items():
        columns = {column["name"]: column for column in inspector.get_columns(table)}
        found = {}
        for name, fact in facts.items():
            kind, default = kind_of(columns[name]["type"]), default_of(columns[name]["default"])
            if fact.kind == "bool" and default in ("0", "1"):
                default = {"0": "false", "1": "true"}[default]
            found[name] = Fact(kind, columns[name]["nullable"], default)
        assert found == facts, table
        assert inspector.get_pk_constraint(table)["constrained_columns"] == ["id"]


def test_every_unique_rule_of_the_seed_is_there(inspector: sa.Inspector) -> None:
    found = {
        table: {tuple(rule["column_names"]) for rule in inspector.get_unique_constraints(table)} & rules
        for table, rules in UNIQUE.items()
    }
    assert found == UNIQUE


def test_every_delete_rule_of_the_seed_is_there(inspector: sa.Inspector) -> None:
    for table, references in REFERENCES.items():
        found = {
            key["constrained_columns"][0]: (key["referred_table"], key["options"].get("ondelete"))
            for key in inspector.get_foreign_keys(table)
        }
        assert {column: found.get(column) for column in references} == references, table


def index_definitions(table: str) -> dict[str, str]:
    """Index name -> its columns as the database itself tells them, e.g. ``user_id -created_at``."""
    sql = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :table",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :table",
    }[db.engine.dialect.name]
    with db.engine.connect() as connection:
        rows = connection.execute(sa.text(sql), {"table": table}).all()
    definitions = {}
    for name, statement in rows:
        columns = re.search(r"\((.*?)\)", statement)
        assert columns is not None
        words = [part.replace('"', "").strip() for part in columns[1].split(",")]
        definitions[name] = " ".join(f"-{word.split()[0]}" if word.endswith(" DESC") else word for word in words)
    return definitions


def test_every_index_of_the_seed_is_there(inspector: sa.Inspector) -> None:
    names = set()
    for table, wanted in INDEXES.items():
        definitions = index_definitions(table)
        assert wanted <= set(definitions.values()), table
        names |= set(definitions)
    assert names >= NAMED_INDEXES


def test_enums_allow_the_seeds_values_and_no_others(inspector: sa.Inspector) -> None:
    for (table, column), values in ENUMS.items():
        checks = [check["sqltext"] for check in inspector.get_check_constraints(table)]
        own = [text for text in checks if re.search(rf"\b{column}\b", text)]
        assert [set(re.findall(r"'([^']*)'", text)) for text in own] == [values], f"{table}.{column}"
