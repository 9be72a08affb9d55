"""Settings of plugins: declared by ``hub_register_settings``, kept encrypted, shown to operators without their secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.contracts.analysis import LocalizedText
from hub.contracts.settings import CheckLine, CheckReport, Choice, PluginSettings, SettingField
from hub.crypto import DecryptionError
from hub.errors import Invalid, NotAllowed, NotFound
from hub.extensions import db
from hub.jobs.models import Job
from hub.plugin_api import read_settings
from hub.plugin_manager import PluginError, PluginManager, _settings_of
from hub.plugin_settings import services
from hub.plugin_settings.models import PluginSetting

PLUGIN = "weather"
URL = f"/plugins/{PLUGIN}/settings"


def text(words: str) -> LocalizedText:
    return LocalizedText(en=words, ar=f"{words} بالعربية")


FIELDS = (
    SettingField(name="url", kind="text", label=text("Address"), required=True, max_length=30),
    SettingField(name="key", kind="secret", label=text("Key"), bound_to="url"),
    SettingField(name="days", kind="number", label=text("Days"), default=3, minimum=1, maximum=16, whole=True),
    SettingField(name="factor", kind="number", label=text("Factor"), minimum=0),
    SettingField(
        name="unit",
        kind="choice",
        label=text("Unit"),
        default="c",
        choices=(Choice(value="c", label=text("Celsius")), Choice(value="f", label=text("Fahrenheit"))),
    ),
    SettingField(name="on", kind="switch", label=text("On"), default=True, help=text("Whether it works")),
)
FORM = {"url": "https://a.example", "key": "TOP-SECRET-KEY", "days": "5", "factor": "0.5", "unit": "f"}


@pytest.fixture
def checked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A plugin with settings; answers the values that its check was given."""
    given: list[dict[str, Any]] = []

    def check(values: Any) -> CheckReport:
        given.append(dict(values))
        if values["url"] == "https://broken.example":
            raise RuntimeError("out of paper")
        return CheckReport(ok=True, lines=(CheckLine(state="good", text=text("It <b>answers</b>")),))

    def validate(values: Any) -> dict[str, LocalizedText]:
        return {"days": text("Not thirteen")} if values["days"] == 13 else {}

    settings = PluginSettings(title=text("Weather"), fields=FIELDS, validate=validate, check=check)
    monkeypatch.setitem(app.extensions["hub_plugins"].registry.settings, PLUGIN, settings)
    return given


@pytest.fixture
def page(operator: Actor, browser_of: Callable[[Actor], FlaskClient], checked: object) -> FlaskClient:
    return browser_of(operator)


def test_before_anything_is_set_defaults_hold(session: object, checked: object) -> None:
    assert read_settings(PLUGIN) == {"url": None, "key": None, "days": 3, "factor": None, "unit": "c", "on": True}
    with pytest.raises(NotFound):
        read_settings("nobody")


def test_values_are_kept_encrypted_and_bound_to_their_plugin(operator: Actor, checked: object, app: Flask) -> None:
    services.save_settings(operator, PLUGIN, FORM)
    expected = {"url": "https://a.example", "key": "TOP-SECRET-KEY", "days": 5, "factor": 0.5, "unit": "f", "on": False}
    assert read_settings(PLUGIN) == expected
    row = db.session.scalars(sa.select(PluginSetting)).one()
    assert "SECRET" not in row.sealed
    assert "example" not in row.sealed
    with pytest.raises(DecryptionError):
        app.extensions["hub_vault"].decrypt(row.sealed, binding="plugin_settings.sealed:other")
    event = db.session.scalars(sa.select(AuditLog).where(AuditLog.action == "plugin.settings")).one()
    assert event.details["changed"] == ["days", "factor", "key", "on", "unit", "url"]
    assert "SECRET" not in str(event.details)


def test_a_secret_stays_until_it_is_typed_or_forgotten(operator: Actor, checked: object) -> None:
    services.save_settings(operator, PLUGIN, FORM)
    services.save_settings(operator, PLUGIN, {**FORM, "key": "", "days": "6"})
    assert (read_settings(PLUGIN)["key"], read_settings(PLUGIN)["days"]) == ("TOP-SECRET-KEY", 6)
    services.save_settings(operator, PLUGIN, {**FORM, "key": "NEW-KEY"})
    assert read_settings(PLUGIN)["key"] == "NEW-KEY"
    services.save_settings(operator, PLUGIN, {**FORM, "key": "", "forget_key": "1"})
    assert read_settings(PLUGIN)["key"] is None


def test_a_secret_does_not_move_to_another_address(operator: Actor, checked: object) -> None:
    services.save_settings(operator, PLUGIN, FORM)
    with pytest.raises(Invalid) as refused:
        services.save_settings(operator, PLUGIN, {**FORM, "key": "", "url": "https://thief.example"})
    assert set(refused.value.fields) == {"key"}
    services.save_settings(operator, PLUGIN, {**FORM, "key": "OTHER", "url": "https://b.example"})
    services.save_settings(operator, PLUGIN, {**FORM, "key": "", "forget_key": "1", "url": "https://c.example"})
    assert read_settings(PLUGIN)["key"] is None


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("url", ""),
        ("url", "x" * 31),
        ("days", "0"),
        ("days", "17"),
        ("days", "2.5"),
        ("days", "many"),
        ("days", "13"),
        ("factor", "nan"),
        ("factor", "-1"),
        ("unit", "kelvin"),
    ],
)
def test_wrong_values_are_named_and_nothing_is_kept(operator: Actor, checked: object, name: str, typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        services.save_settings(operator, PLUGIN, {**FORM, name: typed})
    assert set(refused.value.fields) == {name}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PluginSetting)) == 0


def test_only_operators(alice: Actor, checked: object, browser_of: Callable[[Actor], FlaskClient]) -> None:
    for act in (
        lambda: services.show_settings(alice, PLUGIN),
        lambda: services.save_settings(alice, PLUGIN, FORM),
        lambda: services.request_check(alice, PLUGIN),
    ):
        with pytest.raises(NotAllowed):
            act()
    browser = browser_of(alice)
    assert [browser.get(URL).status_code, browser.post(URL).status_code, browser.post(f"{URL}/check").status_code] == [403] * 3


def test_the_page_shows_no_secret_and_keeps_what_was_typed(page: FlaskClient) -> None:
    assert page.get("/plugins/nobody/settings").status_code == 404
    assert "Nothing is set yet" in page.get(URL).text
    assert page.post(URL, data=FORM).location == URL
    html = page.get(URL).text
    assert "TOP-SECRET-KEY" not in html
    assert "A value is stored" in html
    assert 'value="https://a.example"' in html
    assert "These settings have not been tested" in html
    wrong = page.post(URL, data={**FORM, "key": "ANOTHER-SECRET", "days": "99"})
    assert wrong.status_code == 422
    assert "Must be from 1 to 16" in wrong.text
    assert 'value="99"' in wrong.text
    assert "ANOTHER-SECRET" not in wrong.text
    page.set_cookie("hub_language", "ar")
    assert "Address بالعربية" in page.get(URL).text


def test_the_worker_checks_and_the_page_tells(page: FlaskClient, checked: list[dict[str, Any]]) -> None:
    page.post(URL, data={**FORM, "check": "1"})
    waiting = page.get(URL).text
    assert "Testing…" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    assert "<noscript><meta" in waiting
    job = db.session.scalars(sa.select(Job).where(Job.name == "plugin.check")).one()
    db.session.delete(job)
    db.session.commit()
    services.run_check(**job.arguments)
    assert checked[0]["key"] == "TOP-SECRET-KEY"
    done = page.get(URL, headers={"HX-Request": "true"}).text
    assert "It &lt;b&gt;answers&lt;/b&gt;" in done
    assert "every 1s" not in done
    page.post(URL, data={**FORM, "days": "7"})
    assert "have not been tested" in page.get(URL).text


def test_a_check_that_breaks_says_so(operator: Actor, checked: object) -> None:
    services.save_settings(operator, PLUGIN, {**FORM, "url": "https://broken.example"})
    services.run_check(PLUGIN)
    report = services.show_settings(operator, PLUGIN).report
    assert report is not None
    assert not report.ok
    assert "RuntimeError" in report.lines[0].text.en
    services.run_check("weather")


def test_a_check_of_values_that_changed_meanwhile_is_dropped(
    operator: Actor, app: Flask, monkeypatch: pytest.MonkeyPatch, checked: object
) -> None:
    def check(_values: Any) -> CheckReport:
        services.save_settings(operator, PLUGIN, {**FORM, "days": "9"})
        return CheckReport(ok=True, lines=())

    settings = PluginSettings(title=text("Weather"), fields=FIELDS, check=check)
    monkeypatch.setitem(app.extensions["hub_plugins"].registry.settings, PLUGIN, settings)
    services.save_settings(operator, PLUGIN, FORM)
    services.run_check(PLUGIN)
    assert services.show_settings(operator, PLUGIN).report is None


def test_settings_that_no_key_opens_count_as_unset(operator: Actor, checked: object) -> None:
    services.save_settings(operator, PLUGIN, FORM)
    row = db.session.scalars(sa.select(PluginSetting)).one()
    row.sealed = "v1.00000000.AAAA.AAAA"
    db.session.commit()
    assert read_settings(PLUGIN)["url"] is None


def test_the_bundled_plugin_registers_by_its_hooks() -> None:
    """``hub_register_settings`` and ``hub_register_model_analyzers``."""
    manager = PluginManager(sa.MetaData())
    manager.load(("openai_compatible",))
    assert set(manager.registry.settings) == set(manager.registry.model_analyzers) == {"openai_compatible"}
    assert manager.plugins["openai_compatible"].hooks == ("hub_register_model_analyzers", "hub_register_settings")
    with pytest.raises(PluginError, match="must be PluginSettings"):
        _settings_of({"fields": []}, "weather")
