"""Slack: messages, channels, people, files."""

from __future__ import annotations

from collections.abc import Callable

from hub.plugin_api import ServicePack, hookimpl, load_pack


@hookimpl
def hub_register_packs(register: Callable[[ServicePack], None]) -> None:
    """Ready requests to Slack's Web API."""
    register(load_pack("plugins.services.slack"))
