"""``hub plugin new service`` and ``hub plugin check``: the project of a service pack, made and looked over."""

from __future__ import annotations

import importlib.metadata
import logging
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Any

import click
import sqlalchemy as sa
import yaml

from hub.contracts.catalog import ServicePack
from hub.plugin_manager import GROUP, PluginInfo, PluginManager

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hub-$service"
version = "0.1.0"
requires-python = ">=3.11"

[project.entry-points."hub.plugins"]
$plugin = "$package.plugin"

[tool.hatch.build.targets.wheel]
packages = ["$package"]
""",
    "README.md": """\
# $title for AI-HTTP Hub

Ready requests to $title. Everything is in `$package/pack.yaml`.

    hub plugin check .
    pytest tests
    pip install -e .          # into the hub's environment, then name $plugin in HUB_PLUGINS and restart
""",
    "$package/__init__.py": '"""Ready requests to $title for AI-HTTP Hub."""\n',
    "$package/plugin.py": '''\
"""$title: ready requests."""

from __future__ import annotations

from collections.abc import Callable

from hub.plugin_api import ServicePack, hookimpl, load_pack


@hookimpl
def hub_register_packs(register: Callable[[ServicePack], None]) -> None:
    """Register the pack beside this file."""
    register(load_pack("$package"))
''',
    "tests/test_pack.py": """\
from hub.plugin_api import load_pack


def test_the_pack_is_valid_and_names_its_hosts() -> None:
    pack = load_pack("$package")
    assert pack.service_id == "$service"
    assert pack.endpoints
    assert pack.hosts
""",
}

_PACK = """\
# What a person fills in is written {{NAME}} and declared under variables: those of the service once for all of its requests,
# those of one request beside it. Words may be a plain text, or {en: ..., ar: ...}.
service_id: $service
service_name: $title
description: What the service does, in one sentence.
category: development
service_color: "#475569"
documentation: https://example.com/docs
hosts: [api.example.com] # where the secrets may go
auth: {type: bearer, token: "{{API_KEY}}"}
variables:
  - name: API_KEY
    description: Where a person finds the key.
    secret: true
assertions: [{subject: status, expected: 2xx}]
test_endpoint: who-am-i # the request that tells whether the key works
endpoints:
  - endpoint_id: who-am-i
    endpoint_name: Who am I
    description: The account that the key belongs to. 401 means that the key is wrong.
    method: GET
    url_template: https://api.example.com/v1/me

  - endpoint_id: create-item
    endpoint_name: Create Item
    description: What it does, and what can go wrong.
    method: POST
    url_template: https://api.example.com/v1/items
    body: {kind: json, text: '{"name": "{{NAME}}"}'}
    variables:
      - {name: NAME, description: Name of the item, example: First}
"""


def write_project(service: str, folder: Path, pack: ServicePack | None = None) -> list[Path]:
    """The project of a service pack, with ``pack`` or an example to change. Refuses a folder that holds something."""
    if not _NAME.fullmatch(service):
        raise click.ClickException(
            f"{service!r} is no name of a service: lower-case letters and digits with hyphens, e.g. open-meteo"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.ClickException(f"{folder} exists already and is not empty; choose another one with --folder")
    plugin = service.replace("-", "_")
    title = pack.service_name.en if pack else service.replace("-", " ").title()
    words = {"service": service, "plugin": plugin, "package": f"hub_{plugin}", "title": title}
    texts = {**_FILES, "$package/pack.yaml": _dump(pack) if pack else Template(_PACK).safe_substitute(words)}
    written = []
    for name, text in texts.items():
        file = folder / Template(name).safe_substitute(words)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text if name.endswith(".yaml") else Template(text).safe_substitute(words), encoding="utf-8")
        written.append(file)
    return written


def check_project(folder: Path) -> Iterator[str]:
    """Load the plugins of a project as the hub would. Yields a line for each finding; ClickException for what is wrong."""
    points = _entry_points(folder)
    manager = PluginManager(sa.MetaData())
    problems = []
    with _importable(folder), _silent("hub"):  # what is wrong is said below
        manager.load(())
        for point in points:
            info = manager.try_out(point)
            if info.problem:
                problems.append(f"{point.name}: {info.problem}")
                continue
            yield f"{info.name} loads: {info.description or 'no description'}"
            yield from _describe_packs(manager, info)
    if problems:
        raise click.ClickException("\n".join(problems))


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """A project can be imported from its folder or from ``src`` in it."""
    places = [str(place.resolve()) for place in (folder, folder / "src")]
    sys.path[:0] = places
    try:
        yield
    finally:
        for place in places:
            sys.path.remove(place)


@contextmanager
def _silent(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _entry_points(folder: Path) -> list[importlib.metadata.EntryPoint]:
    file = folder / "pyproject.toml"
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}") from error
    points = project.get("entry-points", {}).get(GROUP, {}) if isinstance(project, dict) else {}
    if not isinstance(points, dict) or not points:
        raise click.ClickException(f'{file} names no plugin: it needs [project.entry-points."{GROUP}"] with NAME = "module"')
    return [importlib.metadata.EntryPoint(name, str(value), GROUP) for name, value in points.items()]


def _describe_packs(manager: PluginManager, info: PluginInfo) -> Iterator[str]:
    for service_id, pack in manager.registry.packs.items():
        if manager.registry.owners["packs", service_id] != info.name:
            continue
        count = len(pack.endpoints)
        yield f"{service_id}: {count} request{'s' if count > 1 else ''}, secrets may go to {', '.join(pack.hosts) or 'no host'}"
        if pack.test_endpoint is None and any(variable.secret for variable in pack.variables):
            yield f"{service_id}: hint: name a test_endpoint, so that people can test their key"
        for endpoint in pack.endpoints:
            if endpoint.description is None:
                yield f"{service_id}: hint: {endpoint.endpoint_id} has no description"


# --- YAML ----------------------------------------------------------------------------------------------------------


def _dump(pack: ServicePack) -> str:
    """The pack as its author would write it: defaults left out, English words as plain texts."""
    data = _plain(pack.model_dump(mode="json", exclude_none=True), pack.model_dump(mode="json", exclude_defaults=True))
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes longer texts as blocks."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _write_text)


def _plain(whole: Any, changed: Any) -> Any:
    """``changed`` with the words that tell the kind of a body or authentication, which are defaults as well."""
    if isinstance(changed, list):
        return [_plain(one, other) for one, other in zip(whole, changed, strict=True)]
    if not isinstance(changed, dict):
        return changed
    if set(whole) <= {"en", "ar"} and "ar" not in whole and "en" in whole:
        return whole["en"]
    kind = {name: whole[name] for name in ("kind", "type") if name in whole and name not in changed}
    return kind | {name: _plain(whole[name], value) for name, value in changed.items() if value is not None}
