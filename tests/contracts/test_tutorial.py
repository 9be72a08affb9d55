"""What docs/writing-a-plugin.md tells people to write is built, installed, loaded and tested."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.cli.plugins import plugin
from hub.config import ROOT
from hub.plugin_manager import PluginManager

TEXT = (ROOT / "docs/writing-a-plugin.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w/.-]+)`:\n\n```\w+\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
ENABLED = tuple(re.search(r"HUB_PLUGINS=(\S+)", TEXT)[1].split(","))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as the tutorial's reader has it at the end."""
    folder = tmp_path_factory.mktemp("hub-open-meteo")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def site_packages(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where its wheel is unpacked, as pip would; the modules are forgotten afterwards."""
    from hatchling.build import build_wheel

    monkeypatch.chdir(project)
    wheel = tmp_path / build_wheel(str(tmp_path))
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for name in ("hub_open_meteo", "hub_open_meteo.plugin", "hub_open_meteo.analyzer"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path / "site"


def test_it_is_found_through_its_entry_point_and_loads(site_packages: Path) -> None:
    manager = PluginManager(sa.MetaData())
    manager.load(ENABLED)
    info = manager.plugins["open_meteo"]
    assert (info.problem, info.enabled, info.version) == (None, True, "0.1.0")
    assert info.description == "Open-Meteo: forecasts, and an explanation of its daily limit."
    assert info.hooks == ("hub_register_analyzers", "hub_register_packs")
    assert "open-meteo" in manager.registry.packs
    assert next(iter(manager.registry.analyzers)) == "open_meteo"
    assert not manager.has_problems


def test_the_check_passes_and_names_what_it_brings(project: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hub", "plugin", "check", str(project)]
    run = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.splitlines() == [
        "open_meteo loads: Open-Meteo: forecasts, and an explanation of its daily limit.",
        "open-meteo: 1 request, secrets may go to api.open-meteo.com",
    ]


def test_the_commands_that_it_names_exist() -> None:
    names = set(re.findall(r"^hub plugin (\w+(?: service)?)", TEXT, re.MULTILINE))
    assert names == {"new service", "check", "list"}
    assert {"check", "list", "new"} == set(plugin.commands)


def test_its_own_tests_pass(project: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={project}", "tests"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(project), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout


def test_the_list_command_shows_it(site_packages: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(site_packages), str(ROOT)]),
        "HUB_PLUGINS": ",".join(ENABLED),
        "HUB_INSTANCE_DIR": str(tmp_path / "instance"),
        "DATABASE_URL": f"file:{tmp_path}/hub.db",
        "HUB_ENV": "development",
    }
    command = [sys.executable, "-m", "hub", "plugin", "list"]
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert re.search(r"^open_meteo +enabled +0\.1\.0 +Open-Meteo: forecasts", run.stdout, re.MULTILINE)
