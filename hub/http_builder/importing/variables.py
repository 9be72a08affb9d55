"""Variables that a document defines for many requests: each request takes those that it names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hub.contracts.http import Pair, RequestDefinition
from hub.http_builder.importing.results import ImportedEnvironment
from hub.http_builder.importing.secrets import SecretCollector
from hub.redaction import is_secret_name

_NAMED = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_.-]*)\}\}")
#: Placeholders are replaced once, so values that name other variables are filled in on import, this often.
_PASSES = 5
_MAX_VALUE = 10_000


class Variables:
    """Variables by name, of a collection and, further in, of its folders."""

    def __init__(self, rows: Iterable[Pair] = (), secrets: dict[str, str] | None = None) -> None:
        self._rows = {row.name: row for row in rows if row.enabled and row.name}
        self._secrets = dict(secrets or {})
        for name, row in list(self._rows.items()):
            if row.value and not _NAMED.search(row.value) and is_secret_name(name):
                self._secrets[name] = self._rows.pop(name).value

    def within(self, inner: Variables) -> Variables:
        """These variables, with the inner ones on top."""
        if not inner._rows and not inner._secrets:
            return self
        both = Variables()
        both._rows = {name: row for name, row in self._rows.items() if name not in inner._secrets} | inner._rows
        both._secrets = {name: value for name, value in self._secrets.items() if name not in inner._rows} | inner._secrets
        return both

    def attach(self, definition: RequestDefinition) -> tuple[RequestDefinition, SecretCollector]:
        """The definition with the rows that it names, and a collector that holds the secret ones among them."""
        wanted = dict.fromkeys(_NAMED.findall(definition.model_dump_json()))
        own = {row.name for row in definition.variables}
        rows, secrets = list(definition.variables), SecretCollector(taken={*own, *wanted})
        for name in wanted:
            if name in self._secrets and name not in own:
                secrets.values[name] = self._secrets[name]
            elif name in self._rows and name not in own:
                rows.append(self._filled(self._rows[name]))
        self._take_named_within(rows, secrets)
        return definition.model_copy(update={"variables": tuple(rows)}), secrets

    def _take_named_within(self, rows: list[Pair], secrets: SecretCollector) -> None:
        """A row whose value is nothing but a secret's placeholder stands for that secret."""
        for row in list(rows):
            named = _NAMED.fullmatch(row.value)
            if named and named[1] in self._secrets:
                rows.remove(row)
                secrets.values[row.name] = self._secrets[named[1]]

    def _filled(self, row: Pair) -> Pair:
        value = row.value
        for _pass in range(_PASSES):
            filled = _NAMED.sub(lambda found: self._rows[found[1]].value if found[1] in self._rows else found[0], value)
            if filled == value or len(filled) > _MAX_VALUE:
                break
            value = filled
        return row.model_copy(update={"value": value})

    def environment(self, name: str) -> ImportedEnvironment:
        """All of them as an environment."""
        return ImportedEnvironment(name[:120] or "?", tuple(self._rows.values()), dict(self._secrets))
