"""Brings a table without its own prefix."""

from sqlalchemy.orm import Mapped, mapped_column

from hub.extensions import Model


class Invoice(Model):
    __tablename__ = "invoices"

    id: Mapped[int] = mapped_column(primary_key=True)
