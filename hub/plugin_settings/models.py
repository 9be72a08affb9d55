"""What operators set for plugins."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Json, Timestamps, UtcDateTime
from hub.encrypted_columns import encrypted_column
from hub.extensions import Model


class PluginSetting(Timestamps, Model):
    """The values of one plugin (ours): a JSON object, encrypted as a whole and bound to the plugin's name."""

    __tablename__ = "plugin_settings"

    plugin: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    sealed: Mapped[str] = mapped_column(sa.Text)
    #: The last check of these values (``CheckReport``); None since they changed.
    report: Mapped[dict[str, Any] | None] = mapped_column(Json)
    checked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


SETTINGS = encrypted_column(PluginSetting, "sealed")
