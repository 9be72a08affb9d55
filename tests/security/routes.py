"""The routes of the app as the security tests walk them: all of them, whoever added them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

SAFE = {"GET", "HEAD", "OPTIONS"}
API = "/api/"
#: Parameters that are no ids of somebody's object (a place within the one named before, a plugin, a service), with a value
POSITIONS = {
    "suggestion_index": "0",
    "plugin_name": "openai_compatible",
    "service_id": "stripe",
    "endpoint_id": "create-customer",
    "billing_provider": "stripe_billing",
}


@dataclass(frozen=True)
class Route:
    """One method of one rule."""

    method: str
    rule: Rule

    @property
    def endpoint(self) -> str:
        return self.rule.endpoint

    @property
    def is_api(self) -> bool:
        return self.rule.rule.startswith(API)

    @property
    def parameters(self) -> list[str]:
        """Names of the ids in the address, in order of appearance."""
        return [part for is_parameter, part in self.rule._trace if is_parameter and part not in POSITIONS]

    def path(self, values: Mapping[str, str]) -> str:
        """The address with ``values`` in the parameters' places."""
        values = {**POSITIONS, **values}
        return "".join(values[part] if is_parameter else part for is_parameter, part in self.rule._trace).removeprefix("|")

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"


def routes(app: Flask) -> Iterator[Route]:
    """Every route but the files under ``static/``."""
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if rule.endpoint != "static":
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Route(method, rule)
