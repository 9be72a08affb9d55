"""What an n8n's API knows, read from the OpenAPI document that it serves itself: versions differ, and it names no version."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from hub.columns import utc_now
from hub.instances.errors import NotN8n
from hub.yaml_documents import YamlRefused, read_yaml

MAX_AGE = dt.timedelta(days=1)
_METHODS = ("get", "put", "post", "patch", "delete")
#: What the oldest supported API accepts, for a document that does not say.
_OLD_WORKFLOW_KEYS = frozenset({"name", "nodes", "connections", "settings", "staticData"})
_CONTENT_KEYS = frozenset({"name", "nodes", "connections", "settings", "nodeGroups", "description"})
_OLD_SETTINGS_KEYS = frozenset(
    {
        "saveExecutionProgress",
        "saveManualExecutions",
        "saveDataErrorExecution",
        "saveDataSuccessExecution",
        "executionTimeout",
        "errorWorkflow",
        "timezone",
        "executionOrder",
    }
)
#: Newest first: the first feature that is there tells the version that the n8n has at least.
_VERSION_SIGNS = (
    ("version_paths", "2.39"),
    ("publish_if_active", "2.36"),
    ("publish", "2.29"),
    ("ignore_size_limit", "2.21"),
    ("discover", "2.13"),
    ("stop", "2.1"),
    ("retry", "1.65"),
)


@dataclass(frozen=True, slots=True)
class Features:
    """What one n8n can do. All False and the oldest keys where its document does not say."""

    #: PUT can save a draft of a published workflow without putting it live.
    publish_if_active: bool = False
    #: ``/publish`` and ``/unpublish`` exist; else ``/activate`` and ``/deactivate``.
    publish: bool = False
    retry: bool = False
    stop: bool = False
    history: bool = False
    discover: bool = False
    started_after: bool = False
    #: How an earlier version is asked for: ``versions``, ``plain``, or None.
    version_path: str | None = None
    #: Execution statuses that the list can filter by.
    status_filters: frozenset[str] = frozenset()
    workflow_keys: frozenset[str] = _OLD_WORKFLOW_KEYS
    settings_keys: frozenset[str] = _OLD_SETTINGS_KEYS
    #: Keys that a node may have; empty where the document does not list them (then all are sent).
    node_keys: frozenset[str] = frozenset()
    #: The version guessed from all this, as "2.39+".
    version: str | None = None
    digest: str = ""
    found_at: dt.datetime | None = None

    def is_stale(self) -> bool:
        """Whether the document should be read again."""
        return self.found_at is None or utc_now() - self.found_at > MAX_AGE

    def accepted_workflow(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The part of ``document`` that PUT accepts here (it answers 400 to unknown keys) and that is the workflow's content.

        Static data, pinned data and sharing are left alone: n8n keeps what is not sent.
        """
        keys = self.workflow_keys & _CONTENT_KEYS
        body = {key: value for key, value in document.items() if key in keys and value is not None}
        settings = document.get("settings")
        body["settings"] = {
            key: value for key, value in (settings if isinstance(settings, dict) else {}).items() if key in self.settings_keys
        }
        if self.node_keys:
            body["nodes"] = [
                {key: value for key, value in node.items() if key in self.node_keys} for node in document.get("nodes", [])
            ]
        return body

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``instances.capabilities``."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            name: sorted(value)
            if isinstance(value, frozenset)
            else value.isoformat()
            if isinstance(value, dt.datetime)
            else value
            for name, value in values.items()
        }

    @classmethod
    def from_json(cls, values: object) -> Self | None:
        """What ``to_json`` gave; None for anything else, so that it is found anew."""
        if not isinstance(values, dict) or set(values) != set(cls.__dataclass_fields__):
            return None
        fields: dict[str, Any] = {name: frozenset(value) if isinstance(value, list) else value for name, value in values.items()}
        if fields["found_at"]:
            fields["found_at"] = dt.datetime.fromisoformat(fields["found_at"])
        return cls(**fields)


def read_features(document: bytes, *, known: Features | None = None) -> Features:
    """The features in an ``openapi.yml``; ``known`` with a new date where the document is the same as then."""
    digest = hashlib.sha256(document).hexdigest()
    if known is not None and known.digest == digest:
        return Features.from_json({**known.to_json(), "found_at": utc_now().isoformat()}) or known
    try:
        spec = read_yaml(document.decode())
    except (YamlRefused, UnicodeDecodeError) as error:
        raise NotN8n(reason="no-spec") from error
    if not isinstance(spec, dict) or not isinstance(spec.get("paths"), dict):
        raise NotN8n(reason="no-spec")
    return _Spec(spec).features(digest)


class _Spec:
    """Looks things up in a parsed OpenAPI document; path parameters have had several names, so they are left out."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._operations = {
            (method, _skeleton(path)): operation
            for path, methods in spec["paths"].items()
            if isinstance(methods, dict)
            for method, operation in methods.items()
            if method in _METHODS and isinstance(operation, dict)
        }

    def features(self, digest: str) -> Features:
        executions = self._parameters("get", "/executions")
        has = {
            "version_paths": self._has("get", "/workflows/{}/versions/{}"),
            "publish_if_active": "publishIfActive" in self._parameters("put", "/workflows/{}"),
            "publish": self._has("post", "/workflows/{}/publish"),
            "ignore_size_limit": "ignoreDataSizeLimit" in executions,
            "discover": self._has("get", "/discover"),
            "stop": self._has("post", "/executions/{}/stop"),
            "retry": self._has("post", "/executions/{}/retry"),
        }
        body = self._body("put", "/workflows/{}")
        nodes = self._resolve(body.get("nodes", {})).get("items", {})
        older_version_path = "plain" if self._has("get", "/workflows/{}/{}") else None
        return Features(
            publish_if_active=has["publish_if_active"],
            publish=has["publish"],
            retry=has["retry"],
            stop=has["stop"],
            history=self._has("get", "/workflows/{}/history"),
            discover=has["discover"],
            started_after="startedAfter" in executions,
            version_path="versions" if has["version_paths"] else older_version_path,
            status_filters=frozenset(self._resolve(executions.get("status", {}).get("schema", {})).get("enum", ())),
            workflow_keys=_writable(body) or _OLD_WORKFLOW_KEYS,
            settings_keys=self._keys(body.get("settings", {})) or _OLD_SETTINGS_KEYS,
            node_keys=self._keys(nodes),
            version=next((f"{version}+" for sign, version in _VERSION_SIGNS if has[sign]), None),
            digest=digest,
            found_at=utc_now(),
        )

    def _has(self, method: str, path: str) -> bool:
        return (method, path) in self._operations

    def _resolve(self, node: Any) -> dict[str, Any]:
        """The object behind a local ``$ref``; empty for anything that is no object. Circles end after a few steps."""
        for _step in range(8):
            if not isinstance(node, dict):
                return {}
            reference = node.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#/"):
                return node
            node = self._spec
            for key in reference[2:].split("/"):
                node = node.get(key.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
        return {}

    def _parameters(self, method: str, path: str) -> dict[str, dict[str, Any]]:
        listed = self._operations.get((method, path), {}).get("parameters", [])
        resolved = [self._resolve(parameter) for parameter in listed] if isinstance(listed, list) else []
        return {str(parameter.get("name")): parameter for parameter in resolved}

    def _body(self, method: str, path: str) -> dict[str, dict[str, Any]]:
        """The properties of a JSON request body, each resolved."""
        operation = self._operations.get((method, path), {})
        content = self._resolve(operation.get("requestBody")).get("content", {})
        schema = self._resolve(self._resolve(content.get("application/json")).get("schema"))
        properties = schema.get("properties", {})
        return {name: self._resolve(value) for name, value in properties.items()} if isinstance(properties, dict) else {}

    def _keys(self, schema: Any) -> frozenset[str]:
        properties = self._resolve(schema).get("properties", {})
        return _writable({name: self._resolve(value) for name, value in properties.items()})


def _skeleton(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def _writable(properties: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(name for name, schema in properties.items() if not schema.get("readOnly"))
