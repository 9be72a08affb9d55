"""Pages about the hub itself: health and plugins."""

from __future__ import annotations

import logging

import sqlalchemy as sa
from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from hub.accounts.web import current_actor
from hub.columns import utc_now
from hub.config import Config
from hub.errors import NotAllowed, NotFound
from hub.extensions import db
from hub.htmx import render
from hub.plugin_manager import PluginManager
from hub.security_contact import write_security_txt

log = logging.getLogger(__name__)

bp = Blueprint("system", __name__)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 while the database answers; for load balancers, so without sign-in."""
    try:
        db.session.execute(sa.text("SELECT 1"))
    except SQLAlchemyError:
        log.exception("the database does not answer")
        return {"status": "database unavailable"}, 503
    return {"status": "ok"}


@bp.get("/.well-known/security.txt")
def security_txt() -> ResponseReturnValue:
    """Whom to tell about a weakness; not there until HUB_SECURITY_CONTACT says it."""
    config: Config = current_app.extensions["hub_config"]
    if config.security_contact is None:
        raise NotFound
    return Response(write_security_txt(config.security_contact, config.public_url, utc_now()), mimetype="text/plain")


@bp.get("/plugins")
def plugins() -> ResponseReturnValue:
    """Every installed plugin and why one that is off is off; for operators."""
    if not current_actor().is_operator:
        raise NotAllowed(_("Only operators see the plugins."))
    manager: PluginManager = current_app.extensions["hub_plugins"]
    safe_mode = current_app.extensions["hub_config"].safe_mode
    settable = manager.registry.settings.keys()
    return render("system/plugins.html", plugins=list(manager.plugins.values()), settable=settable, safe_mode=safe_mode)
