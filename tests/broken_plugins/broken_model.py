"""Its model refers to a class that does not exist; left alone, every query of the hub would fail."""

from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.extensions import Model


class Note(Model):
    __tablename__ = "broken_model_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    author = relationship("NobodyWroteThisClass")
