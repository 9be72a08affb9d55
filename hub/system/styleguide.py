"""The design system at a glance: every macro in every state. Exists in development only."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue

from hub.columns import utc_now
from hub.executions.trends import DayCount
from hub.htmx import render
from hub.templating import STATUSES

bp = Blueprint("styleguide", __name__)

SAMPLE_JSON = {
    "id": 4711,
    "name": "نص عربي <b>not bold</b>",
    "paid": True,
    "missing": None,
    "lines": [{"sku": "A-1", "price": 12.5}, {"sku": "B-2", "price": 3}],
}
SAMPLE_DIFF = """@@ /nodes/2/parameters @@
 {
-  "url": "http://api.example.com/v1",
+  "url": "https://api.example.com/v2",
   "method": "GET"
 }"""


@bp.get("/styleguide")
def index() -> ResponseReturnValue:
    """Every macro with sample values."""
    if request.args.get("flash"):
        flash("Saved.", "success")
        flash("That did not work.", "error")
    now = utc_now()
    return render(
        "styleguide.html",
        statuses=STATUSES,
        sample_json=SAMPLE_JSON,
        sample_diff=SAMPLE_DIFF,
        times=[now, now - dt.timedelta(minutes=3), now - dt.timedelta(days=9), now + dt.timedelta(hours=5)],
        days=[DayCount(dt.date(2026, 11, day), 20 + day * 7 % 19, day * 5 % 7) for day in range(1, 15)],
        here=url_for("styleguide.index"),
    )
