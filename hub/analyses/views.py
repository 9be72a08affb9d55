"""Pages of the analyses room."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("analyses", __name__)
