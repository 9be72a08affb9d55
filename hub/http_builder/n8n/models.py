"""What the hub has saved into workflows of n8n, so that it can be taken back."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Created, Flag, Key, UtcDateTime, enum_column
from hub.encrypted_columns import encrypted_column
from hub.extensions import Model


class SaveState(enum.StrEnum):
    """Where a save stands. ``SAVING`` was begun: n8n may or may not have it, and an undo finds out."""

    SAVING = "SAVING"
    SAVED = "SAVED"
    REFUSED = "REFUSED"
    UNDONE = "UNDONE"


class NodeSave(Created, Model):
    """One request that was saved into a workflow of n8n."""

    __tablename__ = "node_saves"
    __table_args__ = (
        sa.Index("ix_node_saves_request_created", "request_id", "created_at", "id"),
        sa.Index("ix_node_saves_workflow_id", "workflow_id"),
    )

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    request_id: Mapped[str] = mapped_column(sa.ForeignKey("requests.id", ondelete="CASCADE"))
    workflow_id: Mapped[str] = mapped_column(sa.ForeignKey("workflows.id", ondelete="CASCADE"))
    #: Name of the request's node.
    node: Mapped[str] = mapped_column(sa.Text)
    is_new: Mapped[Flag]
    state: Mapped[SaveState] = mapped_column(enum_column(SaveState, "save_state"), default=SaveState.SAVING)
    #: Envelope of the nodes and connections that changed, as they were and as they are, bound to ``node_saves.changes:<id>``.
    changes: Mapped[str] = mapped_column(sa.Text, deferred=True)
    #: The draft's version in n8n after the save; None where n8n names none.
    version_id: Mapped[str | None] = mapped_column(sa.String(64))
    went_live: Mapped[Flag]
    #: Why it did not go live, or was refused: a code of ``hub.http_builder.n8n.words``, and n8n's own words.
    problem: Mapped[str | None] = mapped_column(sa.String(40))
    message: Mapped[str | None] = mapped_column(sa.Text)
    undone_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


CHANGES = encrypted_column(NodeSave, "changes")
