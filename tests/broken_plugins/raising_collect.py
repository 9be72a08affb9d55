"""Registers an analyzer, then raises."""

from hub.plugin_api import hookimpl


class Oracle:
    name = "oracle"

    def diagnose(self, evidence):
        return None


@hookimpl
def hub_register_analyzers(register):
    register(Oracle())
    raise RuntimeError("changed my mind")
