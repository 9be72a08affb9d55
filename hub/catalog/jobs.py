"""Keeps the stored templates in step with the packs that the worker was started with."""

from __future__ import annotations

from hub.catalog import services
from hub.jobs.services import JobContext, periodic


@periodic("catalog.load_packs", seconds=3600)
def load_packs(_context: JobContext) -> None:
    """Cheap when nothing changed: one SELECT."""
    services.load_packs()
