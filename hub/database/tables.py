"""The tables as they are in the database, whoever owns them."""

from __future__ import annotations

import sqlalchemy as sa

from hub.database.locks import exclusive_maintenance
from hub.database.owners import VERSION_TABLE
from hub.extensions import DEFERRED, db


def reflect(connection: sa.Connection) -> sa.MetaData:
    """All tables, those of removed plugins too."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return metadata


def data_tables(connection: sa.Connection) -> list[sa.Table]:
    """The tables that hold data, referenced ones before those that refer to them."""
    return [table for table in reflect(connection).sorted_tables if not table.name.startswith(VERSION_TABLE)]


def count_rows(connection: sa.Connection) -> dict[str, int]:
    """Rows of every table with data, by name."""
    return {
        table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in data_tables(connection)
    }


def read_counts() -> dict[str, int]:
    """``count_rows`` of the app's database."""
    with db.engine.execution_options(**DEFERRED).connect() as connection:
        return count_rows(connection)


def drop_all_tables() -> None:
    """Delete everything, the version tables and what removed plugins left too."""
    with exclusive_maintenance(), db.engine.begin() as connection:
        reflect(connection).drop_all(connection)
