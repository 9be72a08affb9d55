"""Chain the audit log"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from hub import columns
from hub.audit import chain, triggers
from hub.crypto import current_signer

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ADDED = {
    "chain": sa.String(length=64),
    "sequence": sa.BigInteger(),
    "previous_hash": sa.String(length=64),
    "hash": sa.String(length=64),
    "seal": sa.String(length=80),
}
BATCH = 1000


def upgrade() -> None:
    op.create_table(
        "audit_chains",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=80), nullable=False),
        sa.Column("anchored", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_chains")),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.String(length=80), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checkpoints")),
    )
    op.create_index("ix_audit_checkpoints_chain_sequence", "audit_checkpoints", ["chain", "sequence"])
    for name, kind in ADDED.items():
        op.add_column("audit_logs", sa.Column(name, kind, nullable=True))
    _chain_what_is_there(op.get_bind())
    _drop_descending_indexes()
    with op.batch_alter_table("audit_logs") as table:
        for name, kind in ADDED.items():
            table.alter_column(name, existing_type=kind, nullable=False)
        table.create_index("uq_audit_logs_chain_sequence", ["chain", "sequence"], unique=True)
    _make_descending_indexes()
    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())
    _drop_descending_indexes()
    with op.batch_alter_table("audit_logs") as table:
        table.drop_index("uq_audit_logs_chain_sequence")
        for name in ADDED:
            table.drop_column(name)
    _make_descending_indexes()
    op.drop_table("audit_checkpoints")
    op.drop_table("audit_chains")


def _drop_descending_indexes() -> None:
    """Rebuilding a table on SQLite would make them anew without their order."""
    op.drop_index("idx_audit_logs_created", "audit_logs")
    op.drop_index("ix_audit_logs_user_page", "audit_logs")


def _make_descending_indexes() -> None:
    newest_first = sa.literal_column("created_at DESC")
    op.create_index("idx_audit_logs_created", "audit_logs", [newest_first])
    op.create_index("ix_audit_logs_user_page", "audit_logs", ["user_id", newest_first, sa.literal_column("id DESC")])


def _chain_what_is_there(connection: sa.Connection) -> None:
    """Events from before the chain are chained in the order of their times: what happened to them until now nobody can say, what
    happens from now on is found."""
    log = sa.table(
        "audit_logs",
        *(sa.column(name, sa.String) for name in ("id", "user_id", "action", "resource", "resource_id")),
        *(sa.column(name, sa.String) for name in ("ip_address", "user_agent", "chain", "previous_hash", "hash", "seal")),
        sa.column("created_at", columns.UtcDateTime),
        sa.column("success", sa.Boolean),
        sa.column("details", columns.Json),
        sa.column("sequence", sa.BigInteger),
    )
    given = [log.c[name] for name in chain.HASHED if name not in ADDED]
    heads: dict[str, dict[str, Any]] = {}
    last: tuple[Any, str] | None = None
    while True:
        page = sa.select(*given).order_by(log.c.created_at, log.c.id).limit(BATCH)
        if last is not None:
            after = (sa.literal(last[0], columns.UtcDateTime), sa.literal(last[1]))
            page = page.where(sa.tuple_(log.c.created_at, log.c.id) > sa.tuple_(*after))
        rows = [dict(row) for row in connection.execute(page).mappings()]
        if not rows:
            break
        last = rows[-1]["created_at"], rows[-1]["id"]
        linked = [_link(heads, row) for row in rows]
        changed = {name: sa.bindparam(f"new_{name}") for name in ADDED}
        update = sa.update(log).where(log.c.id == sa.bindparam("row_id")).values(changed)
        connection.execute(update, [{"row_id": row["id"], **{f"new_{name}": row[name] for name in ADDED}} for row in linked])
    for last_of_chain in heads.values():
        last_of_chain["seal"] = current_signer().sign(last_of_chain["hash"])
    if heads:
        head = sa.table("audit_chains", *(sa.column(name) for name in ("chain", "sequence", "hash", "seal")))
        connection.execute(sa.insert(head), list(heads.values()))


def _link(heads: dict[str, dict[str, Any]], row: dict[str, Any]) -> dict[str, Any]:
    name = row["user_id"] or ""
    head = heads.setdefault(name, {"chain": name, "sequence": 0, "hash": chain.GENESIS})
    row.update(chain=name, sequence=head["sequence"] + 1, previous_hash=head["hash"])
    chain.seal_row(row)
    head.update(sequence=row["sequence"], hash=row["hash"])
    return row
