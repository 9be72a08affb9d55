"""Its hook asks for an argument that the hub does not have."""

from hub.plugin_api import hookimpl


@hookimpl
def hub_failures_ingested(event, mood):
    """Cannot be called."""
