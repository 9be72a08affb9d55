"""Loads bundled and third-party plugins, checks them, and keeps what they register."""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pluggy
import sqlalchemy as sa
from sqlalchemy.orm import Mapper, configure_mappers
from sqlalchemy.orm import registry as MapperRegistry

from hub import hookspecs
from hub.contracts.analysis import Analyzer
from hub.contracts.billing import BillingProvider
from hub.contracts.catalog import ServicePack
from hub.contracts.model_analyzer import ModelAnalyzer
from hub.contracts.settings import PluginSettings
from hub.contracts.sync import SyncStrategy

log = logging.getLogger(__name__)

GROUP = "hub.plugins"

#: Bundled plugins by name. Registered first; named by text, because the hub never imports plugins.
BUNDLED = {
    **{
        name: f"plugins.services.{name}.plugin"
        for name in (
            *("stripe", "shopify", "github", "slack", "openai", "twilio", "sendgrid"),
            *("hubspot", "notion", "airtable", "google_sheets", "whatsapp", "telegram", "discord"),
        )
    },
    "rules": "plugins.analyzers.rules.plugin",
    "openai_compatible": "plugins.analyzers.openai_compatible.plugin",
    "incremental": "plugins.sync.incremental.plugin",
    "stripe_billing": "plugins.billing.stripe_billing.plugin",
    "failure_log": "plugins.notify.failure_log.plugin",
}


_NAME = re.compile(r"[a-z][a-z0-9_]*")


class PluginError(Exception):
    """A plugin breaks the contract. The message says how."""


@dataclass(slots=True)
class PluginInfo:
    """One installed plugin and how loading it went."""

    name: str
    module: str
    bundled: bool
    version: str = ""
    enabled: bool = False
    description: str = ""
    hooks: tuple[str, ...] = ()
    #: One sentence, None when all is well.
    problem: str | None = None
    traceback: str | None = None


@dataclass(slots=True)
class Registry:
    """What plugins registered, by name, with the plugin it came from."""

    packs: dict[str, ServicePack] = field(default_factory=dict)
    analyzers: dict[str, Analyzer] = field(default_factory=dict)
    model_analyzers: dict[str, ModelAnalyzer] = field(default_factory=dict)
    billing: dict[str, BillingProvider] = field(default_factory=dict)
    #: By the name of the plugin.
    settings: dict[str, PluginSettings] = field(default_factory=dict)
    strategies: dict[str, SyncStrategy] = field(default_factory=dict)
    owners: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, kind: str, name: str, thing: Any, owner: str) -> None:
        """Keep ``thing``; a name that is taken is refused with both owners' names."""
        shelf: dict[str, Any] = getattr(self, kind)
        if name in shelf:
            raise PluginError(f"the name {name!r} among the {kind} is taken by the plugin {self.owners[kind, name]!r}")
        shelf[name] = thing
        self.owners[kind, name] = owner

    def drop_owner(self, owner: str) -> None:
        """Forget all that one plugin registered."""
        for kind, name in [key for key, plugin in self.owners.items() if plugin == owner]:
            getattr(self, kind).pop(name)
            del self.owners[kind, name]


class _Declarations:
    """The tables and mapped classes there are, so that those of a refused plugin can be taken out again."""

    def __init__(self, metadata: sa.MetaData, mappers: MapperRegistry | None) -> None:
        self._metadata = metadata
        self._registry = mappers
        self._tables = set(metadata.tables)
        self._mappers = self._present_mappers()

    def _present_mappers(self) -> set[Mapper[Any]]:
        return set(self._registry.mappers) if self._registry else set()

    def check(self, prefix: str) -> None:
        """Refuse new tables without the plugin's prefix, and classes that SQLAlchemy cannot map."""
        foreign = sorted(name for name in set(self._metadata.tables) - self._tables if not name.startswith(prefix))
        if foreign:
            raise PluginError(f"tables must begin with {prefix}: {', '.join(foreign)}")
        if self._present_mappers() - self._mappers:
            configure_mappers()

    def take_out_new(self) -> None:
        """Forget what was declared since; one class that cannot be mapped would break every query of the hub."""
        for mapper in self._present_mappers() - self._mappers:
            # In public SQLAlchemy disposes of all classes or none; this is what it does for each.
            mapper.registry._managers.pop(mapper.class_manager)
            mapper.registry._dispose_manager_and_mapper(mapper.class_manager)
        for name in set(self._metadata.tables) - self._tables:
            self._metadata.remove(self._metadata.tables[name])


class PluginManager:
    """The plugins of one app. Built in ``create_app``; there is no global one, and nothing is reloaded at run time."""

    def __init__(self, metadata: sa.MetaData, mappers: MapperRegistry | None = None) -> None:
        """``metadata`` and ``mappers`` are where plugins declare their tables and models."""
        self._pluggy = pluggy.PluginManager("hub")
        self._metadata = metadata
        self._mappers = mappers
        self._entry_points: dict[str, importlib.metadata.EntryPoint] = {}
        self._pluggy.add_hookspecs(hookspecs)
        self.plugins: dict[str, PluginInfo] = {}
        self.registry = Registry()

    def load(self, enabled: tuple[str, ...], *, safe_mode: bool = False) -> None:
        """Find all installed plugins and load the enabled ones, in that order; ``enabled`` empty means all bundled ones."""
        self._discover()
        chosen = () if safe_mode else (enabled or tuple(BUNDLED))
        for name in dict.fromkeys(chosen):
            if name not in self.plugins:
                problem = "is named in HUB_PLUGINS but not installed"
                self.plugins[name] = PluginInfo(name, module="", bundled=False, problem=problem)
                log.error("plugin %s %s", name, problem)
            elif self.plugins[name].problem is None:
                self._load_one(self.plugins[name])

    def try_out(self, point: importlib.metadata.EntryPoint) -> PluginInfo:
        """Load a plugin that need not be installed, beside those that are loaded; what it registers is in ``registry``."""
        if point.name in self.plugins and not self.plugins[point.name].bundled:
            del self.plugins[point.name]  # the same one, installed
        info = self._list(point)
        if info.problem is None:
            self._load_one(info)
        return info

    @property
    def has_problems(self) -> bool:
        """Whether any plugin that was meant to be there is not."""
        return any(info.problem for info in self.plugins.values())

    def listen(self, name: str, listener: object) -> None:
        """Let a part of the hub itself be told by notify hooks, like a plugin."""
        self._pluggy.register(listener, name=f"hub.{name}")

    def notify(self, hook_name: str, **arguments: Any) -> None:
        """Call a notify hook plugin by plugin: one that raises is logged and stops no other."""
        for name, plugin in self._pluggy.list_name_plugin():
            try:
                self._call_alone(hook_name, plugin, **arguments)
            except Exception:
                log.exception("plugin %s failed in %s", name, hook_name)

    def _call_alone(self, hook_name: str, plugin: Any, **arguments: Any) -> None:
        others = [other for other in self._pluggy.get_plugins() if other is not plugin]
        self._pluggy.subset_hook_caller(hook_name, others)(**arguments)

    def _discover(self) -> None:
        for name, module in BUNDLED.items():
            self.plugins[name] = PluginInfo(name, module, bundled=True, version="bundled")
        for point in importlib.metadata.entry_points(group=GROUP):
            self._list(point)

    def _list(self, point: importlib.metadata.EntryPoint) -> PluginInfo:
        info = PluginInfo(point.name, point.value, bundled=False, version=point.dist.version if point.dist else "")
        if point.name in self.plugins:
            info.problem = f"the name {point.name!r} is taken by {self.plugins[point.name].module}"
            info.name = f"{point.name} ({point.value})"
        elif not _NAME.fullmatch(point.name):
            info.problem = "the name must be lower-case letters, digits and underscores"
        if info.problem:
            log.error("plugin %s: %s", point.value, info.problem)
        self.plugins[info.name] = info
        self._entry_points[info.name] = point
        return info

    def _load_one(self, info: PluginInfo) -> None:
        declared = _Declarations(self._metadata, self._mappers)
        plugin: object | None = None
        try:
            plugin = self._import(info)
            declared.check(f"{info.name}_")
            info.description = (plugin.__doc__ or "").strip().partition("\n")[0]
            self._pluggy.register(plugin, name=info.name)
            self._pluggy.check_pending()
            info.hooks = tuple(sorted(caller.name for caller in self._pluggy.get_hookcallers(plugin) or []))
            self._collect(info.name, plugin)
            info.enabled = True
        except (Exception, SystemExit) as error:
            info.problem = f"{type(error).__name__}: {error}"
            info.traceback = traceback.format_exc()
            info.hooks = ()
            log.exception("plugin %s could not be loaded", info.name)
            self.registry.drop_owner(info.name)
            if plugin is not None and self._pluggy.is_registered(plugin):
                self._pluggy.unregister(plugin)
            declared.take_out_new()

    def _import(self, info: PluginInfo) -> object:
        """The module of a bundled plugin, or whatever a third party's entry point names (``module`` or ``module:object``)."""
        if info.bundled:
            return importlib.import_module(info.module)
        plugin: object = self._entry_points[info.name].load()
        return plugin

    def _collect(self, name: str, plugin: object) -> None:
        """Run the collect hooks of one plugin alone, so that what it registers is known to be its own."""
        collectors: dict[str, tuple[str, Callable[[Any], str]]] = {
            "hub_register_packs": ("packs", _service_id),
            "hub_register_analyzers": ("analyzers", lambda analyzer: _name_of(analyzer, "diagnose")),
            "hub_register_model_analyzers": ("model_analyzers", lambda analyzer: _name_of(analyzer, "ask")),
            "hub_register_billing_provider": ("billing", lambda provider: _billing_of(provider, name)),
            "hub_register_settings": ("settings", lambda settings: _settings_of(settings, name)),
            "hub_register_sync_strategies": ("strategies", lambda strategy: _name_of(strategy, "plan")),
        }
        for hook_name, (kind, name_of) in collectors.items():

            def register(thing: Any, kind: str = kind, name_of: Callable[[Any], str] = name_of) -> None:
                self.registry.add(kind, name_of(thing), thing, name)

            self._call_alone(hook_name, plugin, register=register)


def _service_id(pack: Any) -> str:
    if not isinstance(pack, ServicePack):
        raise PluginError(f"a pack must be a ServicePack, not {type(pack).__name__}")
    return pack.service_id


def _settings_of(settings: Any, plugin: str) -> str:
    if not isinstance(settings, PluginSettings):
        raise PluginError(f"settings must be PluginSettings, not {type(settings).__name__}")
    return plugin


def _billing_of(provider: Any, plugin: str) -> str:
    """Its name is in the address for messages, so it is the plugin's."""
    if _name_of(provider, "read_message") != plugin:
        raise PluginError(f"a billing provider must be named as its plugin, {plugin!r}")
    return plugin


def _name_of(thing: Any, method: str) -> str:
    name = getattr(thing, "name", None)
    if not isinstance(name, str) or not name or not callable(getattr(thing, method, None)):
        raise PluginError(f"{type(thing).__name__} needs a name and a method {method}()")
    return name
