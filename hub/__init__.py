"""AI-HTTP Hub: sees, explains, repairs and proves n8n failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from hub.config import Config

__version__ = "0.1.0"


def create_app(config: Config | None = None) -> Flask:
    """The WSGI application (``hub.app``), imported when it is asked for: ``hub --help`` and the supervisor stay small."""
    from hub import app

    return app.create_app(config)
