"""Raises while it is imported, after it has declared a table of its own."""

import sqlalchemy as sa

from hub.extensions import Base

notes = sa.Table("raises_on_import_notes", Base.metadata, sa.Column("id", sa.Integer, primary_key=True))

raise RuntimeError("out of paper")
