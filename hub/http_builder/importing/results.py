"""What an importer gives back, and why it may refuse."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.contracts.http import Note, Pair, RequestDraft


class ImportRefused(Exception):
    """The text cannot be imported. ``code`` and ``details`` are for ``describe_refusal``; no secret is in them."""

    def __init__(self, code: str, **details: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


@dataclass(frozen=True, slots=True)
class ImportedEnvironment:
    """Variables that came along, such as a Postman environment's. ``secrets`` are values by name, beside ``variables``."""

    name: str
    variables: tuple[Pair, ...] = ()
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The requests of a text in order. ``notes`` are about the whole; what concerns one request is in its draft's notes."""

    kind: str
    drafts: tuple[RequestDraft, ...]
    notes: tuple[Note, ...] = ()
    environments: tuple[ImportedEnvironment, ...] = ()
    #: Which of the format's versions or dialects: ``3.1``, ``powershell``; empty where it does not say.
    variant: str = ""
