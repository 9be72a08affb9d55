"""What every template may use: the macros as ``ui``, the theme, the navigation and the words for states, times and sizes."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
from types import SimpleNamespace
from typing import Any, NamedTuple

from babel.dates import format_skeleton, format_timedelta
from flask import Flask, Response, has_request_context, request, url_for
from flask_babel import format_datetime, format_decimal, format_percent, get_locale, gettext, lazy_gettext
from flask_login import current_user
from jinja2.runtime import Macro
from markupsafe import Markup

from hub.columns import utc_now
from hub.config import ROOT
from hub.cookies import read_cookie
from hub.json_tree import render_json
from hub.preferences import THEME_COOKIE, THEMES

MACROS = ("ui", "forms", "data", "charts", "graph", "runs", "answers", "frame", "services", "passkeys")
THEME_NAMES = {"system": lazy_gettext("System"), "light": lazy_gettext("Light"), "dark": lazy_gettext("Dark")}


class Status(NamedTuple):
    """How a state is shown: tone (``good bad warn info neutral``), icon and word."""

    tone: str
    icon: str
    label: Any


#: States of executions, nodes, instances, workflows, jobs, repairs and verdicts, by their value in lower case.
STATUSES = {
    "success": Status("good", "circle-check", lazy_gettext("Success")),
    "failed": Status("bad", "circle-x", lazy_gettext("Failed")),
    "running": Status("info", "loader", lazy_gettext("Running")),
    "waiting": Status("warn", "hourglass", lazy_gettext("Waiting")),
    "canceled": Status("neutral", "circle-stop", lazy_gettext("Canceled")),
    "not-reached": Status("neutral", "circle-minus", lazy_gettext("Not reached")),
    "disabled": Status("neutral", "circle-pause", lazy_gettext("Disabled")),
    "enabled": Status("good", "circle-check", lazy_gettext("Enabled")),
    "connected": Status("good", "circle-check", lazy_gettext("Connected")),
    "disconnected": Status("neutral", "unlink", lazy_gettext("Disconnected")),
    "error": Status("bad", "triangle-alert", lazy_gettext("Error")),
    "syncing": Status("info", "refresh-cw", lazy_gettext("Syncing")),
    "active": Status("good", "circle-play", lazy_gettext("Active")),
    "inactive": Status("neutral", "circle-pause", lazy_gettext("Inactive")),
    "archived": Status("neutral", "archive", lazy_gettext("Archived")),
    "vanished": Status("warn", "unlink", lazy_gettext("Gone from n8n")),
    "pending": Status("neutral", "clock", lazy_gettext("Waiting to be sent")),
    "delivered": Status("good", "circle-check", lazy_gettext("Delivered")),
    "queued": Status("neutral", "clock", lazy_gettext("Queued")),
    "done": Status("good", "circle-check", lazy_gettext("Done")),
    "applied": Status("good", "circle-check", lazy_gettext("Applied")),
    "rolled_back": Status("warn", "undo-2", lazy_gettext("Rolled back")),
    "refused": Status("warn", "hand", lazy_gettext("Refused")),
    "interrupted": Status("warn", "unlink", lazy_gettext("Interrupted")),
    "stuck": Status("bad", "triangle-alert", lazy_gettext("Needs a person")),
    "verified": Status("good", "shield-check", lazy_gettext("Verified")),
    "partial": Status("warn", "circle-dot", lazy_gettext("Partly repaired")),
    "unproven": Status("neutral", "circle-help", lazy_gettext("Unproven")),
    "regressed": Status("bad", "undo-2", lazy_gettext("Made it worse")),
}


class NavigationItem(NamedTuple):
    """One entry of the main navigation. ``key`` follows ``g`` as a keyboard shortcut."""

    endpoint: str
    label: Any
    icon: str
    key: str = ""
    operators_only: bool = False


NAVIGATION = (
    (
        "",
        (
            NavigationItem("dashboard.index", lazy_gettext("Dashboard"), "layout-dashboard", "d"),
            NavigationItem("executions.index", lazy_gettext("Executions"), "activity", "e"),
            NavigationItem("failures.index", lazy_gettext("Failures"), "bug", "f"),
            NavigationItem("workflows.index", lazy_gettext("Workflows"), "workflow", "w"),
            NavigationItem("analyses.index", lazy_gettext("Analyses"), "stethoscope", "a"),
            NavigationItem("automation.index", lazy_gettext("Automation"), "zap", "u"),
            NavigationItem("requests.index", lazy_gettext("Requests"), "send", "r"),
            NavigationItem("instances.index", lazy_gettext("Instances"), "server", "i"),
            NavigationItem("catalog.index", lazy_gettext("Templates"), "layers", "t"),
        ),
    ),
    (
        lazy_gettext("Account"),
        (
            NavigationItem("accounts.sessions", lazy_gettext("Sessions"), "monitor"),
            NavigationItem("accounts.api_keys", lazy_gettext("API keys"), "key-round"),
            NavigationItem("webhooks.index", lazy_gettext("Webhooks"), "webhook"),
            NavigationItem("audit.index", lazy_gettext("Audit log"), "scroll-text"),
        ),
    ),
    (
        lazy_gettext("System"),
        (
            NavigationItem("people.index", lazy_gettext("People"), "users", operators_only=True),
            NavigationItem("system.plugins", lazy_gettext("Plugins"), "puzzle", operators_only=True),
            NavigationItem("system.keys", lazy_gettext("Encryption keys"), "key-round", operators_only=True),
            NavigationItem("model_use.show", lazy_gettext("Model use"), "sparkles", operators_only=True),
        ),
    ),
)


def navigation() -> list[tuple[Any, list[NavigationItem]]]:
    """The groups of the main navigation with the pages that are open to the person."""
    is_operator = getattr(current_user, "is_operator", False)
    groups = [(heading, [item for item in items if is_operator or not item.operators_only]) for heading, items in NAVIGATION]
    return [(heading, items) for heading, items in groups if items]


#: Rooms whose pages belong to another room's item; a tab bar leads to them.
PARENTS = {"runs": "requests", "chains": "requests", "environments": "requests", "to_n8n": "requests"}


def is_current(endpoint: str, current: str | None) -> bool:
    """Whether a navigation item leads to the page shown, or to the list that the page belongs to."""
    room, _, page = endpoint.partition(".")
    shown = (current or "").partition(".")[0]
    return endpoint == current or (page == "index" and PARENTS.get(shown, shown) == room)


def theme() -> str:
    """``light``, ``dark`` or ``system``: the person's choice, written into the page so that nothing flashes."""
    chosen = read_cookie(THEME_COOKIE) if has_request_context() else ""
    return chosen if chosen in THEMES else "system"


def status_of(value: Any) -> Status:
    """How to show a state. One without a picture of its own is shown as its plain name."""
    name = str(value).lower()
    return STATUSES.get(name) or Status("neutral", "circle-dot", str(value).replace("_", " ").capitalize())


#: Why an execution began, by n8n's word for it.
MODES = {
    "webhook": lazy_gettext("Webhook"),
    "trigger": lazy_gettext("Trigger"),
    "manual": lazy_gettext("By hand"),
    "retry": lazy_gettext("Retry"),
    "integrated": lazy_gettext("Another workflow"),
    "error": lazy_gettext("Error workflow"),
    "internal": lazy_gettext("n8n itself"),
    "cli": lazy_gettext("Command line"),
}


def workflow_state(workflow: Any) -> str:
    """The one word of ``STATUSES`` that matters most about a workflow."""
    if workflow.vanished_at:
        return "vanished"
    if workflow.is_archived:
        return "archived"
    return "active" if workflow.active else "inactive"


def mode_word(mode: str) -> Any:
    """Why an execution began, in words; n8n's own word for a kind that the hub does not know."""
    return MODES.get(mode, mode)


def number_in_n8n(execution: Any) -> str:
    """The id that n8n shows, without the mark of an earlier epoch."""
    return str(execution.n8n_execution_id).rpartition(":")[2]


def format_ago(value: dt.datetime) -> str:
    """ "3 minutes ago" in the active language; times to come read "in 2 days"."""
    delta = value - utc_now()
    if abs(delta) < dt.timedelta(seconds=10):
        return str(gettext("just now"))
    return format_timedelta(delta, add_direction=True, locale=get_locale())


def format_exact(value: dt.datetime) -> str:
    """Date and time of day to the second."""
    return str(format_datetime(value, "medium"))


def format_day(value: dt.date) -> str:
    """A day without its year."""
    return str(format_skeleton("MMMd", value, locale=get_locale()))


def format_duration(seconds: float | None) -> str:
    """A length of time in the unit a person would choose; an en dash for an unknown one."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return str(gettext("%(count)s ms", count=format_decimal(round(seconds * 1000))))
    if seconds < 60:
        return str(gettext("%(count)s s", count=format_decimal(round(seconds, 1))))
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return str(gettext("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=rest))
    hours, minutes = divmod(minutes, 60)
    return str(gettext("%(hours)s h %(minutes)s min", hours=format_decimal(hours), minutes=minutes))


def format_json(value: Any) -> str:
    """JSON as people read it: indented, letters of every script as they are."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def render_icon(sprite: str, name: str, css_class: str = "") -> Markup:
    """An icon of the sprite at that address; decorative, so the words stand beside it."""
    classes = f"icon {css_class}".strip()
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}#{}"></use></svg>').format(classes, sprite, name)


def render_attributes(attributes: dict[str, Any]) -> Markup:
    """Further attributes of a macro's element: ``hx_post="/x"`` becomes ``hx-post``; True is bare, False and None are none."""
    parts = []
    for name, value in attributes.items():
        name = name.replace("_", "-")
        if value is True:
            parts.append(Markup(" {}").format(name))
        elif value is not None and value is not False:
            parts.append(Markup(' {}="{}"').format(name, value))
    return Markup("").join(parts)


@functools.cache
def _fingerprint(path: str, _changed: float) -> str:
    return hashlib.sha256((ROOT / "static" / path).read_bytes()).hexdigest()[:10]


def asset(path: str) -> str:
    """Address of a file in ``static/``; it changes with the content, so browsers may keep the file for ever."""
    return url_for("static", filename=path, v=_version(path))


def _version(path: str) -> str | None:
    file = ROOT / "static" / path
    return _fingerprint(path, file.stat().st_mtime) if file.is_file() else None


def keep_versioned(response: Response) -> Response:
    """Let browsers keep a file of ``static/`` whose address names its content, and the fonts, which never change."""
    if request.endpoint == "static" and (request.args.get("v") or request.path.endswith(".woff2")):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def load_macros(app: Flask) -> None:
    """All macros of ``templates/macros`` as one global ``ui``, which unlike an import works in a block rendered alone.

    A macro sees the globals as they are when its file is loaded, so this comes last.
    """
    macros = app.jinja_env.globals["ui"] = SimpleNamespace()
    for name in MACROS:
        module = app.jinja_env.get_template(f"macros/{name}.html").module
        vars(macros).update({key: value for key, value in vars(module).items() if isinstance(value, Macro)})


def init_app(app: Flask) -> None:
    """Give all templates the above."""
    app.after_request(keep_versioned)
    sprite = f"{app.static_url_path}/vendor/icons.svg?v={_version('vendor/icons.svg')}"
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        navigation=navigation,
        is_current=is_current,
        theme=theme,
        themes=THEME_NAMES,
        status_of=status_of,
        icon=functools.partial(render_icon, sprite),
        ui_state=workflow_state,
        ui_mode=mode_word,
        icon_sprite=sprite,
        attributes=render_attributes,
        asset=asset,
        render_json=render_json,
        utc_now=utc_now,
    )
    app.jinja_env.filters.update(
        ago=format_ago,
        day=format_day,
        exact=format_exact,
        duration=format_duration,
        number=format_decimal,
        percent=format_percent,
        number_in_n8n=number_in_n8n,
        pretty_json=format_json,
    )
    load_macros(app)
