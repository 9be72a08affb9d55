"""Pages of the system room."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("system", __name__)
