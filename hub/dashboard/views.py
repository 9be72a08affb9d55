"""The first page: how all connected n8n servers are doing."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from hub.htmx import render

bp = Blueprint("dashboard", __name__)


@bp.get("/")
def index() -> ResponseReturnValue:
    """Counts, two weeks of runs, what failed last and what fails most."""
    return render("dashboard/index.html")
