"""Pages of the workflows room."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("workflows", __name__)
