"""Column types and mixins that every model shares: CUID keys, aware UTC times, JSON, enums as checked text."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hub.identifiers import new_id


def utc_now() -> dt.datetime:
    """The present time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


class UtcDateTime(sa.types.TypeDecorator[dt.datetime]):
    """An aware UTC time. SQLite keeps no zone, so it is taken off on the way in and put back on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


#: JSON on SQLite, JSONB on PostgreSQL. The seed's ``String[]`` fields use it too, so that both databases hold the same shape.
Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def enum_column(enumeration: type[enum.StrEnum], name: str) -> sa.Enum:
    """Text checked against the enum's values; a native PostgreSQL enum could not lose a value again."""
    return sa.Enum(
        enumeration,
        native_enum=False,
        create_constraint=True,
        name=name,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


Key = Annotated[str, mapped_column(sa.String(32), primary_key=True, default=new_id)]
Time = Annotated[dt.datetime, mapped_column(UtcDateTime)]
OptionalTime = Annotated[dt.datetime | None, mapped_column(UtcDateTime)]
JsonObject = Annotated[dict[str, Any], mapped_column(Json)]
JsonList = Annotated[list[Any], mapped_column(Json)]


class Created:
    """``created_at``, set once."""

    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utc_now)


class Timestamps(Created):
    """``created_at`` and ``updated_at``."""

    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)
