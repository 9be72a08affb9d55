"""Reads a workflow as n8n's public API gives it, whatever the version: the one place that knows its spellings."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.storable import clean_json, clean_text
from hub.workflows.models import VersionKind

Json = dict[str, Any]
#: Numbers below this are seconds (n8n's crash records), above it milliseconds.
_SMALLEST_MILLISECONDS = 100_000_000_000


def parse_time(value: object) -> dt.datetime | None:
    """An ISO 8601 text, or seconds or milliseconds since 1970, as an aware UTC time; None for anything else."""
    try:
        if isinstance(value, str):
            moment = dt.datetime.fromisoformat(value)
            if moment.tzinfo is dt.UTC:
                return moment
            return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = value if value < _SMALLEST_MILLISECONDS else value / 1000
            return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _identifier(value: object) -> str | None:
    return clean_text(value, 64) if value else None


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _as_object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class RemoteVersion:
    """The content of the draft or of what runs live."""

    kind: VersionKind
    n8n_version_id: str | None
    name: str
    nodes: list[Any]
    connections: Json
    settings: Json

    @property
    def content_hash(self) -> str:
        """Equal for equal content."""
        return _digest([self.name, self.nodes, self.connections, self.settings])


class RemoteWorkflow:
    """One workflow of n8n's list: ``nodes`` and ``connections`` are the draft, ``activeVersion`` what runs live."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        payload = clean_json(payload)
        self.n8n_id = str(payload["id"])[:64]
        self.name = str(payload.get("name") or self.n8n_id)
        self.active = payload.get("active") is True
        self.is_archived = payload.get("isArchived") is True
        self.version_id = _identifier(payload.get("versionId"))
        self.active_version_id = _identifier(payload.get("activeVersionId"))
        self.tags = sorted({str(tag.get("name")) for tag in _as_list(payload.get("tags")) if isinstance(tag, dict)})
        self.nodes = _as_list(payload.get("nodes"))
        self.connections = _as_object(payload.get("connections"))
        self.settings = _as_object(payload.get("settings"))
        self.created_at = parse_time(payload.get("createdAt"))
        self.updated_at = parse_time(payload.get("updatedAt"))
        self._live = _as_object(payload.get("activeVersion"))

    def content_hash(self) -> str:
        """Over all that n8n can change. Not ``updatedAt``: saving the same content moves it, and publishing does not."""
        state = [self.version_id, self.active_version_id, self.active, self.is_archived, self.name, self.tags]
        return _digest([*state, self.settings, self.nodes, self.connections])

    def versions(self) -> Iterator[RemoteVersion]:
        """The draft, and what runs live where something does. Before n8n 2 the draft of an active workflow ran live."""
        draft = RemoteVersion(VersionKind.DRAFT, self.version_id, self.name, self.nodes, self.connections, self.settings)
        yield draft
        if self._live:
            nodes, connections = _as_list(self._live.get("nodes")), _as_object(self._live.get("connections"))
            version_id = _identifier(self._live.get("versionId")) or self.active_version_id
            yield RemoteVersion(VersionKind.LIVE, version_id, self.name, nodes, connections, self.settings)
        elif self.active:
            yield RemoteVersion(VersionKind.LIVE, self.version_id, self.name, self.nodes, self.connections, self.settings)


def read_credentials(nodes: Iterable[Any]) -> list[list[str]]:
    """``[id, name, kind]`` of each credential that the nodes use, each once."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        for kind, used in _as_object(_as_object(node).get("credentials")).items():
            if key := _identifier(_as_object(used).get("id")):
                found.setdefault(key, [key, str(_as_object(used).get("name") or key), kind])
    return list(found.values())


def _digest(facts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
