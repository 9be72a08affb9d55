"""Registers a pack of its own, then one under a service id that another plugin has."""

from hub.plugin_api import ServicePack, hookimpl


def pack(service_id):
    return ServicePack.model_validate(
        {
            "service_id": service_id,
            "service_name": "Mine",
            "category": "payments",
            "endpoints": [
                {"endpoint_id": "one", "endpoint_name": "One", "method": "GET", "url_template": "https://api.example.com/1"}
            ],
        }
    )


@hookimpl
def hub_register_packs(register):
    register(pack("mine"))
    register(pack("stripe"))
