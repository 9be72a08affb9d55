"""A plugin that misbehaves is listed with its reason and skipped; the hub and its neighbours work on."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import configure_mappers

from hub import create_app
from hub.config import Config
from hub.contracts.actor import Actor
from hub.contracts.events import FailureEvent
from hub.extensions import Base, db
from hub.plugin_manager import PluginManager

BROKEN = Path(__file__).parents[1] / "broken_plugins"

#: What an operator reads of each.
REASONS = {
    "raises_on_import": "RuntimeError: out of paper",
    "exits": "SystemExit: this computer is not good enough for me",
    "wrong_argument": "mood",
    "misspelt_hook": "unknown hook 'hub_failure_ingested'",
    "taken_service": "the name 'stripe' among the packs is taken by the plugin 'stripe'",
    "taken_strategy": "the name 'incremental' among the strategies is taken by the plugin 'incremental'",
    "foreign_table": "tables must begin with foreign_table_: invoices",
    "broken_model": "NobodyWroteThisClass",
    "raising_collect": "RuntimeError: changed my mind",
    "nameless_analyzer": "object needs a name and a method diagnose()",
    "invalid_pack": "endpoints.0.method: Input should be 'GET'",
}
EVENT = FailureEvent(instance_id="i", instance_name="n", failures=())


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Installs plugins as pip would: a distribution on ``sys.path`` whose metadata names entry points."""
    monkeypatch.syspath_prepend(str(BROKEN))
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(distribution: str = "third_party", **entry_points: str) -> None:
        folder = tmp_path / f"{distribution}-1.2.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        lines = [f"{name} = {value}" for name, value in entry_points.items()]
        (folder / "entry_points.txt").write_text("\n".join(["[hub.plugins]", *lines]))

    yield write
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(BROKEN)):
            del sys.modules[name]


def load(*enabled: str, safe_mode: bool = False) -> PluginManager:
    manager = PluginManager(Base.metadata, Base.registry)
    manager.load(enabled, safe_mode=safe_mode)
    return manager


def test_every_broken_plugin_of_the_folder_is_tried() -> None:
    assert {file.stem for file in BROKEN.glob("*.py")} == {*REASONS, "raising_notify", "well_behaved"}


@pytest.mark.parametrize("name", REASONS)
def test_a_broken_plugin_is_skipped_whole(name: str, install: Callable[..., None], session: object) -> None:
    install(**{name: name, "well_behaved": "well_behaved"})
    tables, mappers = set(Base.metadata.tables), set(Base.registry.mappers)
    manager = load("stripe", "incremental", name, "well_behaved")
    info = manager.plugins[name]
    assert REASONS[name] in (info.problem or "")
    assert "Traceback" in (info.traceback or "")
    assert (info.enabled, info.hooks, info.version) == (False, (), "1.2")
    assert set(manager.registry.owners.values()) == {"stripe", "incremental"}
    assert not manager.registry.analyzers
    assert (set(Base.metadata.tables), set(Base.registry.mappers)) == (tables, mappers)
    configure_mappers()
    assert manager.plugins["well_behaved"].enabled
    assert db.session.execute(sa.text("SELECT 1")).scalar_one() == 1


def test_the_hub_starts_with_all_of_them(
    install: Callable[..., None], config: Config, session: object, operator: Actor, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    names = [*REASONS, "raising_notify", "well_behaved"]
    install(**{name: name for name in names})
    app = create_app(dataclasses.replace(config, plugins=("stripe", "incremental", *names)))
    assert app.test_client().get("/healthz").status_code == 200
    assert set(app.extensions["hub_plugins"].registry.packs) == {"stripe"}
    manager = browser_of(operator).application.extensions
    manager["hub_plugins"], kept = app.extensions["hub_plugins"], manager["hub_plugins"]
    try:
        page = browser_of(operator).get("/plugins").text
    finally:
        manager["hub_plugins"] = kept
    assert "out of paper" in page
    assert "tables must begin with foreign_table_" in page


def test_one_that_raises_when_told_stops_no_other(install: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    install(raising_notify="raising_notify", well_behaved="well_behaved")
    manager = load("raising_notify", "well_behaved")
    manager.notify("hub_failures_ingested", event=EVENT)
    manager.notify("hub_failures_ingested", event=EVENT)
    assert sys.modules["well_behaved"].told == [EVENT, EVENT]
    assert caplog.text.count("plugin raising_notify failed in hub_failures_ingested") == 2


def test_a_name_that_is_taken_is_listed_and_left_out(install: Callable[..., None]) -> None:
    install(stripe="well_behaved")
    manager = load()
    assert manager.plugins["stripe"].bundled
    assert manager.plugins["stripe"].enabled
    assert "taken by plugins.services.stripe.plugin" in (manager.plugins["stripe (well_behaved)"].problem or "")


def test_two_distributions_with_one_name(install: Callable[..., None]) -> None:
    install("one", mine="well_behaved")
    install("two", mine="raising_notify")
    manager = load("mine")
    assert manager.plugins["mine"].enabled
    assert len([info for info in manager.plugins.values() if info.problem]) == 1


def test_a_name_must_be_plain(install: Callable[..., None]) -> None:
    install(**{"Not-Plain": "well_behaved"})
    assert "lower-case letters" in (load("Not-Plain").plugins["Not-Plain"].problem or "")


def test_installed_is_not_enabled(install: Callable[..., None]) -> None:
    install(well_behaved="well_behaved")
    manager = load()
    assert not manager.plugins["well_behaved"].enabled
    assert manager.plugins["well_behaved"].problem is None
    assert "well_behaved" not in sys.modules
    only = load("well_behaved", "well_behaved")
    assert [info.name for info in only.plugins.values() if info.enabled] == ["well_behaved"]
    assert not only.has_problems


def test_safe_mode_starts_with_none(install: Callable[..., None]) -> None:
    install(exits="exits")
    manager = load("stripe", "exits", safe_mode=True)
    assert not any(info.enabled or info.problem for info in manager.plugins.values())
    assert not manager.registry.owners


def test_a_name_that_is_not_installed(install: Callable[..., None]) -> None:
    manager = load("no_such_plugin")
    assert manager.plugins["no_such_plugin"].problem == "is named in HUB_PLUGINS but not installed"
    assert manager.has_problems


def test_an_entry_point_may_name_an_object(install: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    install(objects="well_behaved_objects:plugin")
    module = type(sys)("well_behaved_objects")
    module.plugin = type("Plugin", (), {"__doc__": "An object.\n\nMore."})()
    monkeypatch.setitem(sys.modules, "well_behaved_objects", module)
    info = load("objects").plugins["objects"]
    assert (info.enabled, info.description, info.problem) == (True, "An object.", None)
