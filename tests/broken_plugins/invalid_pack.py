"""Its pack has a method that HTTP does not know."""

from pathlib import Path

from hub.plugin_api import hookimpl, load_pack


@hookimpl
def hub_register_packs(register):
    register(load_pack(Path(__file__).with_name("invalid_pack.yaml")))
