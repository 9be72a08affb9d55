"""Pages of the instances room."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("instances", __name__)
