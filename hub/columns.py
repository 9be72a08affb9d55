"""Column types and mixins that every model shares: CUID keys, aware UTC times, JSON, enums as checked text."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
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


class Now(sa.sql.functions.FunctionElement[dt.datetime]):
    """The present UTC time as a column default, in the same form in which ``UtcDateTime`` stores times."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(Now, "postgresql")
def _now_on_postgresql(_element: Now, _compiler: Any, **_options: Any) -> str:
    return "CURRENT_TIMESTAMP"


@compiles(Now, "sqlite")
def _now_on_sqlite(_element: Now, _compiler: Any, **_options: Any) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f000', 'now'))"


# Columns whose default also holds for rows that are inserted past the ORM.
Key = Annotated[str, mapped_column(sa.String(32), primary_key=True, default=new_id)]
Flag = Annotated[bool, mapped_column(default=False, server_default=sa.false())]
Count = Annotated[int, mapped_column(default=0, server_default="0")]
JsonObject = Annotated[dict[str, Any], mapped_column(Json, default=dict, server_default="{}")]
JsonList = Annotated[list[Any], mapped_column(Json, default=list, server_default="[]")]
TextList = Annotated[list[str], mapped_column(Json, default=list, server_default="[]")]


class Created:
    """``created_at``, set once."""

    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utc_now, server_default=Now())


class Timestamps(Created):
    """``created_at`` and ``updated_at``."""

    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)
