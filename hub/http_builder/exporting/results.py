"""What an exporter gives back."""

from __future__ import annotations

from dataclasses import dataclass

from hub.contracts.http import Note


@dataclass(frozen=True, slots=True)
class ExportResult:
    """A text for another tool. ``notes`` tell what the tool cannot express and which variables it expects."""

    text: str
    media_type: str
    file_name: str
    notes: tuple[Note, ...] = ()
