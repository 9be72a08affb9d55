from __future__ import annotations

import base64
from pathlib import Path

import pytest
from flask import Flask

from hub import create_app
from hub.accounts.actors import Client
from hub.accounts.users import register_user
from hub.config import load_config
from hub.extensions import db


@pytest.fixture
def own_app(tmp_path: Path) -> Flask:
    """An app on a database of its own: commands open and close their own sessions."""
    key = base64.b64encode(bytes(range(1, 33))).decode()
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/hub.db", "ENCRYPTION_KEY": key, "HUB_INSTANCE_DIR": str(tmp_path)}
    app = create_app(load_config({**environment, "HUB_SAMPLE": "false"}))
    with app.app_context():
        db.create_all()
        register_user("rana@example.com", "a long enough password", "Rana", client=Client())
    return app
