"""A hook ships with a heading of its exact signature, a test, and one bundled plugin that uses it; plugins keep to their door."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import hub.hookspecs
import hub.plugin_api
from hub.config import ROOT
from hub.extensions import Base
from hub.plugin_manager import BUNDLED, PluginManager

TREE = ast.parse(Path(str(hub.hookspecs.__file__)).read_text(encoding="utf-8"))
HOOKS = {node.name: node for node in TREE.body if isinstance(node, ast.FunctionDef)}
DOCS = (ROOT / "docs/hooks.md").read_text(encoding="utf-8")


def loaded(*names: str) -> PluginManager:
    manager = PluginManager(sa.MetaData())
    manager.load(names)
    return manager


def modules(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted((ROOT / folder).rglob("*.py")):
        yield file.relative_to(ROOT), ast.parse(file.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_hook_has_a_heading_with_its_signature_and_no_other_has() -> None:
    signatures = {f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}" for node in HOOKS.values()}
    assert set(re.findall(r"^## `(.+)`$", DOCS, re.MULTILINE)) == signatures


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_its_kind_and_when_it_is_called(name: str) -> None:
    words = ast.get_docstring(HOOKS[name]) or ""
    section = DOCS.split(f"## `{name}(")[1].split("\n## ")[0]
    kind = words.split(".")[0]
    assert kind in ("Collect", "Notify")
    assert f"\n{kind}. " in section


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_tested(name: str) -> None:
    others = [file for file in (ROOT / "tests").rglob("*.py") if file != Path(__file__)]
    assert any(name in file.read_text(encoding="utf-8") for file in others)


def test_every_hook_is_used_by_a_bundled_plugin_and_named_in_its_docs() -> None:
    manager = loaded()
    users = {name: [info for info in manager.plugins.values() if name in info.hooks] for name in HOOKS}
    assert [name for name, plugins in users.items() if not plugins] == []
    for name, plugins in users.items():
        folder = plugins[0].module.rpartition(".")[0].replace(".", "/")
        assert f"`{folder}`" in DOCS.split(f"## `{name}(")[1].split("\n## ")[0]


def test_bundled_plugins_load_and_say_what_they_do() -> None:
    for info in loaded().plugins.values():
        assert info.problem is None, info.traceback
        assert info.enabled
        assert info.description.endswith(".")


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_plugin_can_be_left_out(name: str) -> None:
    rest = [other for other in BUNDLED if other != name]
    manager = loaded(*rest)
    assert not manager.has_problems
    assert name not in manager.registry.owners.values()


def test_plugins_import_the_plugin_api_their_own_package_and_libraries() -> None:
    wrong = []
    for file, tree in modules("plugins"):
        own = ".".join(file.parts[:3])
        for name in imports(tree):
            is_library = name.partition(".")[0] not in ("hub", "plugins", "tests")
            is_own = name.startswith(f"{own}.") or name == own
            if not (is_library or is_own or name.startswith("hub.plugin_api.")):
                wrong.append((str(file), name))
    assert wrong == []


def test_the_hub_imports_no_plugin() -> None:
    wrong = []
    for file, tree in modules("hub"):
        wrong += [(str(file), name) for name in imports(tree) if name.partition(".")[0] == "plugins"]
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        named = {text for text in texts if re.fullmatch(r"plugins(\.\w+)+", text)}
        wrong += [(str(file), text) for text in named - (set(BUNDLED.values()) if file.name == "plugin_manager.py" else set())]
    assert wrong == []


def test_the_plugin_api_offers_what_it_names() -> None:
    assert sorted(hub.plugin_api.__all__, key=str.lower) == sorted(set(hub.plugin_api.__all__), key=str.lower)
    for name in hub.plugin_api.__all__:
        assert getattr(hub.plugin_api, name).__doc__, name


def test_tables_of_plugins_bear_their_prefix(app: object) -> None:
    for mapper in Base.registry.mappers:
        package = mapper.class_.__module__.split(".")
        if package[0] == "plugins":
            assert mapper.local_table.name.startswith(f"{package[2]}_")
    assert {mapper.class_.__module__.split(".")[0] for mapper in Base.registry.mappers} <= {"hub", "plugins"}
    assert "plugins.services.stripe.plugin" in sys.modules
