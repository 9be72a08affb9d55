"""Service templates as stored."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Count, Json, JsonList, JsonObject, Key, Timestamps, enum_column
from hub.contracts.catalog import HttpMethod
from hub.extensions import Model


class Template(Timestamps, Model):
    """One ready request of one service, loaded from the enabled packs."""

    __tablename__ = "templates"
    __table_args__ = (
        sa.UniqueConstraint("service_id", "endpoint_id"),
        sa.Index("ix_templates_service_id", "service_id"),
        sa.Index("ix_templates_category", "category"),
    )

    id: Mapped[Key]
    service_id: Mapped[str] = mapped_column(sa.String(80))
    service_name: Mapped[str] = mapped_column(sa.String(200))
    service_icon: Mapped[str | None] = mapped_column(sa.Text)
    category: Mapped[str] = mapped_column(sa.String(80))
    endpoint_id: Mapped[str] = mapped_column(sa.String(120))
    endpoint_name: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str | None] = mapped_column(sa.Text)
    method: Mapped[HttpMethod] = mapped_column(enum_column(HttpMethod, "http_method"))
    url_template: Mapped[str] = mapped_column(sa.Text)
    headers: Mapped[JsonObject]
    body_template: Mapped[Any | None] = mapped_column(Json)
    variables: Mapped[JsonList]
    documentation: Mapped[str | None] = mapped_column(sa.Text)
    is_official: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    usage_count: Mapped[Count]
    #: The plugin that brought it, and its place in the pack.
    plugin: Mapped[str] = mapped_column(sa.String(80), default="", server_default=sa.text("''"))
    position: Mapped[Count]
    #: ``ServiceFacts`` and ``EndpointTemplate`` as the pack has them; the columns above are for lists and for the API.
    service: Mapped[JsonObject]
    endpoint: Mapped[JsonObject]
    #: Names and descriptions in every language, in lower case.
    search_text: Mapped[str] = mapped_column(sa.Text, default="", server_default=sa.text("''"))
