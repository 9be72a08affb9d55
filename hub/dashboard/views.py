"""The first page: how all connected n8n servers are doing."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from hub.accounts.web import current_actor
from hub.dashboard.services import get_overview
from hub.database.envelopes import count_lost_values
from hub.htmx import render

bp = Blueprint("dashboard", __name__)


@bp.get("/")
def index() -> ResponseReturnValue:
    """Counts, two weeks of runs, what failed last and what fails most; for a new account the way to its first n8n."""
    actor = current_actor()
    lost = count_lost_values() if actor.is_operator else 0
    return render("dashboard/index.html", overview=get_overview(actor), lost_values=lost)
