# ruff: noqa
# fmt: off
import sqlalchemy as sa
from sqlalchemy import text


def read(db, connection, name):
    # ruleid: sql-from-formatted-text
    sa.text(f"SELECT * FROM users WHERE name = '{name}'")
    # ruleid: sql-from-formatted-text
    sa.text("SELECT * FROM users WHERE name = '%s'" % name)
    # ruleid: sql-from-formatted-text
    sa.text("SELECT * FROM users WHERE name = '" + name + "'")
    # ruleid: sql-from-formatted-text
    sa.text("SELECT * FROM {}".format(name))
    # ruleid: sql-from-formatted-text
    text(f"DROP TABLE {name}")
    # ruleid: sql-from-formatted-text
    connection.exec_driver_sql("DELETE FROM users WHERE name = '%s'" % name)
    # ok: sql-from-formatted-text
    sa.text("SELECT * FROM users WHERE name = :name")
    # ok: sql-from-formatted-text
    connection.exec_driver_sql("PRAGMA foreign_keys=ON")
    # ruleid: sql-in-a-view
    sa.select(name)
    # ruleid: sql-in-a-view
    db.session.get(name, "c1")
    # ok: sql-in-a-view
    db.session.rollback()
