"""Who owns which tables: the hub its own, each plugin those that begin with its name."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from flask import current_app

from hub.config import ROOT
from hub.errors import NotFound
from hub.extensions import Base
from hub.plugin_manager import PluginManager

HUB = "hub"
VERSION_TABLE = "alembic_version_"


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner of tables, with its own migrations and its own version table: no owner's upgrade disturbs another's."""

    name: str
    versions: Path

    @property
    def version_table(self) -> str:
        return VERSION_TABLE + self.name

    def owns(self, table: str, other_prefixes: frozenset[str] = frozenset()) -> bool:
        """Whether ``table`` is this owner's. What no plugin's prefix claims is the hub's, even if the models forgot it."""
        if table.startswith(VERSION_TABLE):
            return False
        if self.name != HUB:
            return table.startswith(f"{self.name}_") and table not in hub_tables()
        return table in hub_tables() or not table.startswith(tuple(other_prefixes))


def hub_tables() -> frozenset[str]:
    """The tables of the hub's own models."""
    models = [mapper.class_ for mapper in Base.registry.mappers]
    return frozenset(model.__tablename__ for model in models if model.__module__.startswith("hub."))


def list_owners() -> list[Owner]:
    """The hub, then every enabled plugin that brings migrations, in the order in which they migrate."""
    manager: PluginManager = current_app.extensions["hub_plugins"]
    owners = [Owner(HUB, ROOT / "migrations" / "versions")]
    for info in manager.plugins.values():
        file = getattr(sys.modules.get(info.module.partition(":")[0]), "__file__", None)
        if info.enabled and file and (versions := Path(file).parent / "migrations" / "versions").is_dir():
            owners.append(Owner(info.name, versions))
    return owners


def find_owner(name: str) -> Owner:
    """The owner of that name; NotFound for a plugin that is not enabled or has no migrations."""
    for owner in list_owners():
        if owner.name == name:
            return owner
    raise NotFound(f"There is no enabled plugin {name} with a migrations/versions folder.")


def plugin_prefixes(connection: sa.Connection) -> frozenset[str]:
    """Prefixes of tables that are not the hub's: of known plugins, and of removed ones whose version table is still there."""
    manager: PluginManager = current_app.extensions["hub_plugins"]
    removed = stored_owners(connection) - {HUB}
    return frozenset(f"{name}_" for name in removed | set(manager.plugins))


def stored_owners(connection: sa.Connection) -> set[str]:
    """Names of all owners that ever migrated this database."""
    names = sa.inspect(connection).get_table_names()
    return {name.removeprefix(VERSION_TABLE) for name in names if name.startswith(VERSION_TABLE)}
