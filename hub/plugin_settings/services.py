"""Settings of plugins: kept encrypted, changed by operators, tried out by the worker."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.analysis import LocalizedText
from hub.contracts.settings import CheckLine, CheckReport, PluginSettings, SettingField, SettingValue
from hub.crypto import DecryptionError
from hub.errors import Invalid, NotAllowed, NotFound
from hub.extensions import db
from hub.i18n import current_language
from hub.jobs.models import Job
from hub.jobs.services import enqueue, find_job
from hub.plugin_manager import PluginManager
from hub.plugin_settings.models import SETTINGS, PluginSetting

log = logging.getLogger(__name__)

Values = dict[str, SettingValue]


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """What an operator sees. ``values`` hold no secret; ``kept_secrets`` names the secrets that are stored."""

    plugin: str
    settings: PluginSettings
    values: Values
    kept_secrets: frozenset[str]
    is_saved: bool
    #: The stored values do not open with the present keys: those shown are the defaults.
    is_unreadable: bool
    report: CheckReport | None
    checked_at: dt.datetime | None
    #: The check that is queued or running.
    job: Job | None


def read_values(plugin: str) -> Values:
    """All values of a plugin with its defaults, secrets too. For the plugin itself."""
    return _with_defaults(_declared(plugin), _open(_find(plugin)))


def show_settings(actor: Actor, plugin: str) -> SettingsPage:
    """The page of a plugin's settings; for operators."""
    settings = _settable(actor, plugin)
    row = _find(plugin)
    values = _with_defaults(settings, _open(row))
    secrets = {field.name for field in settings.fields if field.kind == "secret"}
    return SettingsPage(
        plugin=plugin,
        settings=settings,
        values={name: None if name in secrets else value for name, value in values.items()},
        kept_secrets=frozenset(name for name in secrets if values[name]),
        is_saved=row is not None,
        is_unreadable=row is not None and not _opens(row),
        report=CheckReport.model_validate(row.report) if row and row.report else None,
        checked_at=row.checked_at if row else None,
        job=find_job(_check_key(plugin)),
    )


def save_settings(actor: Actor, plugin: str, form: Mapping[str, str]) -> None:
    """Store what an operator typed; ``Invalid`` names each field that is wrong, and then nothing is stored.

    A secret that was left empty stays as it is, unless ``forget_<name>`` is ticked or the field that it belongs to changed.
    Stored values that do not open are replaced only where ``replace`` is ticked: the key that opens them may come back.
    """
    settings = _settable(actor, plugin)
    row = _find(plugin)
    if row is not None and "replace" not in form and not _opens(row):
        raise Invalid(fields={"replace": _("Tick this to replace what is stored, or ask for the missing key first.")})
    stored = _open(row)
    before = _with_defaults(settings, stored)
    values, problems = _parse(settings, form, before)
    if not problems:
        language = current_language()
        problems = {name: words.in_language(language) for name, words in settings.validate(values).items()}
    if problems:
        raise Invalid(fields=problems)
    changed = sorted(name for name in values if values[name] != before[name])
    if row is None:
        row = PluginSetting(plugin=plugin)
        db.session.add(row)
    row.sealed = SETTINGS.encrypt(json.dumps(values), plugin)
    row.report = row.checked_at = None
    record_event(actor, "plugin.settings", "plugin", plugin, details={"changed": changed})
    db.session.commit()


def request_check(actor: Actor, plugin: str) -> None:
    """Queue a check of the stored values; the one under way where there is one."""
    if _settable(actor, plugin).check is None:
        raise NotFound()
    enqueue("plugin.check", unique_key=_check_key(plugin), plugin=plugin)
    record_event(actor, "plugin.check", "plugin", plugin)
    db.session.commit()


def run_check(plugin: str) -> None:
    """Try the stored values out and keep the report. Commits."""
    settings = _declared(plugin)
    row = _find(plugin)
    if settings.check is None or row is None:
        return
    sealed, values = row.sealed, read_values(plugin)
    db.session.rollback()  # no transaction while another server is asked
    try:
        report = settings.check(values)
    except Exception as error:
        log.exception("the check of plugin %s failed", plugin)
        report = _broken(error)
    row = _find(plugin)
    if row is not None and row.sealed == sealed:  # else it was about other values
        row.report, row.checked_at = report.model_dump(mode="json"), utc_now()
    db.session.commit()


def _broken(error: Exception) -> CheckReport:
    name = type(error).__name__
    words = LocalizedText(
        en=f"The check itself failed ({name}). The worker's log says where.",
        ar=f"تعذّر إجراء الفحص نفسه ({name}). التفاصيل في سجل العامل.",
    )
    return CheckReport(ok=False, lines=(CheckLine(state="bad", text=words),))


# --- Parts ---------------------------------------------------------------------------------------------------------


def _settable(actor: Actor, plugin: str) -> PluginSettings:
    if not actor.is_operator:
        raise NotAllowed(_("Only operators see the settings of plugins."))
    return _declared(plugin)


def _declared(plugin: str) -> PluginSettings:
    manager: PluginManager = current_app.extensions["hub_plugins"]
    settings = manager.registry.settings.get(plugin)
    if settings is None:
        raise NotFound()
    return settings


def _find(plugin: str) -> PluginSetting | None:
    return db.session.get(PluginSetting, plugin, populate_existing=True)


def _open(row: PluginSetting | None) -> dict[str, Any]:
    """The stored values; none where the key that sealed them is gone, which the log says."""
    if row is None:
        return {}
    try:
        opened: dict[str, Any] = json.loads(SETTINGS.decrypt(row.sealed, row.plugin))
    except DecryptionError as error:
        log.error("the settings of plugin %s cannot be read: %s", row.plugin, error)
        return {}
    return opened


def _opens(row: PluginSetting) -> bool:
    try:
        SETTINGS.decrypt(row.sealed, row.plugin)
    except DecryptionError:
        return False
    return True


def _with_defaults(settings: PluginSettings, stored: Mapping[str, Any]) -> Values:
    return {field.name: stored.get(field.name, field.default) for field in settings.fields}


def _parse(settings: PluginSettings, form: Mapping[str, str], before: Values) -> tuple[Values, dict[str, str]]:
    values: Values = {}
    problems: dict[str, str] = {}
    for field in settings.fields:
        try:
            values[field.name] = _parse_field(field, form, before)
        except ValueError as error:
            problems[field.name] = str(error)
            values[field.name] = before[field.name]
    for field in settings.fields:
        owner = field.bound_to
        kept = field.kind == "secret" and not form.get(field.name, "") and values[field.name]
        if kept and owner is not None and values[owner] != before[owner]:
            problems[field.name] = _("This belongs to another address. Type it again, or tick to forget it.")
    return values, problems


def _parse_field(field: SettingField, form: Mapping[str, str], before: Values) -> SettingValue:
    """The typed value; ValueError with the words for a person."""
    if field.kind == "switch":
        return field.name in form
    text = form.get(field.name, "").strip()
    if field.kind == "secret" and not text:
        return None if f"forget_{field.name}" in form else before[field.name]
    if not text:
        if field.required:
            raise ValueError(_("This is needed."))
        return None
    if len(text) > field.max_length:
        raise ValueError(_("At most %(count)s characters.", count=field.max_length))
    if field.kind == "choice" and text not in {choice.value for choice in field.choices}:
        raise ValueError(_("Choose one of the list."))
    return _parse_number(field, text) if field.kind == "number" else text


def _parse_number(field: SettingField, text: str) -> int | float:
    try:
        number: int | float = int(text) if field.whole or text.lstrip("-").isdecimal() else float(text)
    except ValueError:
        raise ValueError(_("Must be a whole number.") if field.whole else _("Must be a number.")) from None
    low, high = field.minimum, field.maximum
    # Written so that nan is refused as well.
    if not ((low is None or number >= low) and (high is None or number <= high)):
        raise ValueError(_("Must be from %(low)s to %(high)s.", low=f"{low or 0:g}", high="∞" if high is None else f"{high:g}"))
    return number


def _check_key(plugin: str) -> str:
    return f"plugin.check:{plugin}"
