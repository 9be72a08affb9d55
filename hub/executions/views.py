"""Pages of the executions room."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("executions", __name__)
