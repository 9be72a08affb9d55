"""WhatsApp Cloud API: messages, media, templates."""

from __future__ import annotations

from collections.abc import Callable

from hub.plugin_api import ServicePack, hookimpl, load_pack


@hookimpl
def hub_register_packs(register: Callable[[ServicePack], None]) -> None:
    """Ready requests to Meta's Cloud API."""
    register(load_pack("plugins.services.whatsapp"))
