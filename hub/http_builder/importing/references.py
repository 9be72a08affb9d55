"""``$ref`` within one document: never another file or address, never in circles."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import unquote

from hub.http_builder.importing.values import mapping

_MAX_HOPS = 20


class References:
    """Follows the references of one document; ``refused`` counts those that lead out of it, by what they name."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.refused: Counter[str] = Counter()

    def resolve(self, value: Any) -> dict[str, Any]:
        """The object that ``value`` is or names, with what stands beside ``$ref`` on top; empty where there is none."""
        beside: dict[str, Any] = {}
        for _hop in range(_MAX_HOPS):
            value = mapping(value)
            reference = value.get("$ref")
            if not isinstance(reference, str):
                return {**value, **beside} if beside else value
            beside = {**{name: part for name, part in value.items() if name != "$ref"}, **beside}
            value = self._find(reference)
        return beside

    def _find(self, reference: str) -> Any:
        if not reference.startswith("#"):
            self.refused[reference[:200]] += 1
            return None
        value: Any = self._document
        for part in unquote(reference[1:]).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and name.isdecimal() and len(name) < 7 and int(name) < len(value):
                value = value[int(name)]
            else:
                value = mapping(value).get(name)
        return value
