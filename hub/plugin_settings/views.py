"""Pages for the settings of plugins."""

from __future__ import annotations

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.errors import Invalid
from hub.htmx import go_to, render
from hub.i18n import current_language
from hub.plugin_settings import services

bp = Blueprint("plugin_settings", __name__, url_prefix="/plugins/<plugin_name>/settings")


@bp.get("")
def show(plugin_name: str) -> ResponseReturnValue:
    """The fields with what is stored, and the last check; the check under way is the part that polls."""
    return _page(services.show_settings(current_actor(), plugin_name))


@bp.post("")
def save(plugin_name: str) -> ResponseReturnValue:
    """Store the fields, and check them where ``check`` was pressed."""
    actor = current_actor()
    try:
        services.save_settings(actor, plugin_name, request.form)
    except Invalid as error:
        return _page(services.show_settings(actor, plugin_name), error), error.status
    flash(_("Saved."), "success")
    if "check" in request.form:
        services.request_check(actor, plugin_name)
    return go_to("plugin_settings.show", plugin_name=plugin_name)


@bp.post("/check")
def check(plugin_name: str) -> ResponseReturnValue:
    """Check what is stored."""
    services.request_check(current_actor(), plugin_name)
    return go_to("plugin_settings.show", plugin_name=plugin_name)


def _page(page: services.SettingsPage, error: Invalid | None = None) -> str:
    typed = dict(request.form) if error else {}
    return render("plugin_settings/show.html", block="check", page=page, error=error, typed=typed, language=current_language())
