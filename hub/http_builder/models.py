"""Saved HTTP requests."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Count, Flag, Json, JsonObject, Key, TextList, Timestamps, UtcDateTime, enum_column
from hub.contracts.catalog import HttpMethod
from hub.extensions import Model


class Request(Timestamps, Model):
    """A saved HTTP request."""

    __tablename__ = "requests"
    __table_args__ = (sa.Index("idx_requests_user", "user_id"), sa.Index("ix_requests_method", "method"))

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str | None] = mapped_column(sa.Text)
    method: Mapped[HttpMethod] = mapped_column(enum_column(HttpMethod, "http_method"))
    url: Mapped[str] = mapped_column(sa.Text)
    headers: Mapped[JsonObject]
    params: Mapped[JsonObject]
    body: Mapped[Any | None] = mapped_column(Json)
    auth: Mapped[dict[str, Any] | None] = mapped_column(Json)
    last_used: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    usage_count: Mapped[Count]
    favorite: Mapped[Flag]
    tags: Mapped[TextList]
