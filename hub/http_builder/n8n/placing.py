"""Puts a request into a workflow's document: into a node that is there, or as a new one, with the node of its variables."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hub.analyses.patches import canonical, document_of
from hub.analyses.workflow_graph import ancestors
from hub.contracts.http import Note, RequestDefinition
from hub.http_builder.n8n.credentials import ServiceCredential, read_auth
from hub.http_builder.n8n.expressions import VARIABLES_NODE
from hub.http_builder.n8n.node import (
    AS_USUAL,
    HTTP_REQUEST,
    OLDEST_VERSION,
    BuiltNode,
    NodeChoices,
    authentication_parameters,
    build_node,
)
from hub.http_builder.n8n.old_nodes import to_version_4
from hub.http_builder.n8n.reading import is_http_request, read_node

Json = dict[str, Any]

SET = "n8n-nodes-base.set"
_SET_VERSION = 3.4
_STEP = 220
#: The parameters (and options) of a node that say each part of a request.
_PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "method": (("method",), ()),
    "url": (("url",), ()),
    "params": (("sendQuery", "specifyQuery", "queryParameters", "jsonQuery"), ("queryParameterArrays",)),
    "headers": (("sendHeaders", "specifyHeaders", "headerParameters", "jsonHeaders"), ()),
    "body": (
        (
            *("sendBody", "contentType", "specifyBody", "bodyParameters", "jsonBody", "body"),
            *("rawContentType", "inputDataFieldName"),
        ),
        (),
    ),
    "auth": (("authentication", "genericAuthType", "nodeCredentialType"), ()),
    "settings": ((), ("timeout", "redirect", "allowUnauthorizedCerts")),
}


@dataclass(frozen=True, slots=True)
class CredentialReference:
    """A credential that n8n has, as nodes refer to it."""

    type: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: into ``node``, or as a new node that is called ``name``, after ``after`` or by itself."""

    node: str | None = None
    after: str | None = None
    name: str = "HTTP Request"


@dataclass(frozen=True, slots=True)
class Placed:
    """A workflow with the request in it. ``node`` is the name of the request's node."""

    document: Json
    node: str
    notes: tuple[Note, ...]


class NoSuchNode(LookupError):
    """The workflow has no such node, or it is no HTTP Request."""


def place_request(
    workflow: Json,
    definition: RequestDefinition,
    target: Target,
    *,
    choices: NodeChoices = AS_USUAL,
    credential: CredentialReference | None = None,
    secret_names: Collection[str] = (),
    values: Mapping[str, str] | None = None,
    pack: ServiceCredential | None = None,
) -> Placed:
    """The workflow's document with the request; everything else in it stays as it is. ``NoSuchNode`` where the target is none.

    ``values`` fill the node of the variables; secrets must not be among them. ``pack`` is the credential of the request's pack.
    """
    placer = _Placer(document_of(workflow), str(workflow.get("id", "")), target)
    version = placer.version()
    variables_node = placer.find_variables()
    built = build_node(
        definition, choices=choices, secret_names=secret_names, type_version=version, variables_node=variables_node, pack=pack
    )
    if target.node is not None:
        placer.rewrite(built, definition, credential)
    else:
        placer.add(built, credential)
    if built.variables:
        placer.add_variables(built.variables, values or {})
    return Placed(placer.document, placer.name, tuple(built.notes))


def new_node(name: str, kind: str, version: float, position: list[int], parameters: Json, *, seed: str) -> Json:
    """A node. Its id comes from ``seed`` and the name, so that what was shown and what is saved are the same."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/{name}")),
        "name": name,
        "type": kind,
        "typeVersion": version,
        "position": position,
        "parameters": parameters,
    }


def variables_parameters(names: Collection[str], values: Mapping[str, str]) -> Json:
    """The parameters of an Edit Fields node that holds the values and lets everything else pass."""
    options: Json = {"stripBinary": False}
    if any("." in name for name in names):
        options["dotNotation"] = False
    rows = [_assignment(name, values.get(name, "")) for name in names]
    return {"assignments": {"assignments": rows}, "includeOtherFields": True, "options": options}


def with_credential(node: Json, credential: CredentialReference | None) -> None:
    """Let the node sign in with the credential; where it is None, the one that it needs is yet to be chosen in n8n."""
    if credential is not None:
        for key in _PARTS["auth"][0]:
            node["parameters"].pop(key, None)
        node["parameters"] |= authentication_parameters(credential.type)
        reference = {"id": credential.id, "name": credential.name}
        node["credentials"] = {**node.get("credentials", {}), credential.type: reference}


def _assignment(name: str, value: str) -> Json:
    key = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
    return {"id": key, "name": name, "value": value, "type": "string"}


class _Placer:
    def __init__(self, document: Json, seed: str, target: Target) -> None:
        self.document, self._seed, self._target = document, seed, target
        self._nodes: list[Json] = [node for node in document["nodes"] if isinstance(node, dict)]
        for wanted in (target.node, target.after):
            if wanted is not None and self._find(wanted) is None:
                raise NoSuchNode(wanted)
        if target.node is not None and not is_http_request(self._find(target.node)):
            raise NoSuchNode(target.node)
        self.name = target.node if target.node is not None else self._free_name(target.name)
        self._variables: Json | None = None
        self._variables_name = VARIABLES_NODE

    def version(self) -> float:
        """The node's own version; of a new one the newest that the workflow's HTTP Request nodes have."""
        own = self._find(self._target.node) if self._target.node is not None else None
        used = [own] if own else [node for node in self._nodes if is_http_request(node)]
        return max((_version(node) for node in used), default=OLDEST_VERSION)

    def find_variables(self) -> str:
        """The name of the node that the request's variables are read from: one before it, or a new one's."""
        start = self._target.node or self._target.after
        before = [] if start is None else [*([start] if self._target.node is None else []), *ancestors(self.document, start)]
        nodes = (self._find(name) for name in before)
        self._variables = next((node for node in nodes if node is not None and _holds_variables(node)), None)
        self._variables_name = self._variables["name"] if self._variables else self._free_name(VARIABLES_NODE)
        return self._variables_name

    def add(self, built: BuiltNode, credential: CredentialReference | None) -> None:
        """A new node, after the one that was chosen, or below all others."""
        x, y = self._place()
        steps = 2 if built.variables and self._variables is None else 1
        node = new_node(self.name, HTTP_REQUEST, built.type_version, [x + steps * _STEP, y], built.parameters, seed=self._seed)
        with_credential(node, credential)
        self.document["nodes"].append(node)
        if self._target.after is not None:
            self._connect(self._target.after, self.name)

    def rewrite(self, built: BuiltNode, definition: RequestDefinition, credential: CredentialReference | None) -> None:
        """What the node says otherwise than the request is written anew; the rest keeps its form, its id and its place."""
        node = self._find(self._target.node or "")
        assert node is not None  # noqa: S101 - checked when the target was taken
        signed = _used(node)
        if _version(node) < 3:
            node["parameters"], node["typeVersion"] = to_version_4(node.get("parameters") or {}), built.type_version
        node["parameters"] = _merged(node, built, definition)
        if "queryParameterArrays" in built.parameters["options"] and built.type_version > _version(node):
            node["typeVersion"] = built.type_version
        if credential is not None or _used(node) != signed:
            references = {kind: used for kind, used in (node.pop("credentials", None) or {}).items() if kind not in signed}
            node |= {"credentials": references} if references else {}
        with_credential(node, credential)

    def add_variables(self, names: Collection[str], values: Mapping[str, str]) -> None:
        """The node that holds the values, right before the request's node; where one is before it, what it lacks."""
        if self._variables is not None:
            rows = self._variables["parameters"].setdefault("assignments", {}).setdefault("assignments", [])
            there = {row.get("name") for row in rows}
            rows += [_assignment(name, values.get(name, "")) for name in names if name not in there]
            return
        own = self._find(self.name)
        x, y = own["position"] if own and _is_position(own.get("position")) else [0, 0]
        node = new_node(
            self._variables_name, SET, _SET_VERSION, [x - _STEP, y], variables_parameters(names, values), seed=self._seed
        )
        self.document["nodes"].append(node)
        for kinds in self.document["connections"].values():
            for links in kinds.get("main") or ():
                for link in links or ():
                    if link.get("node") == self.name:
                        link["node"] = self._variables_name
        self._connect(self._variables_name, self.name)

    def _find(self, name: str) -> Json | None:
        return next((node for node in self.document["nodes"] if isinstance(node, dict) and node.get("name") == name), None)

    def _free_name(self, name: str) -> str:
        taken = {node.get("name") for node in self._nodes}
        number, free = 0, name
        while free in taken:
            number += 1
            free = f"{name} {number}"
        return free

    def _place(self) -> tuple[int, int]:
        after = self._find(self._target.after) if self._target.after is not None else None
        if after is not None and _is_position(after.get("position")):
            return int(after["position"][0]), int(after["position"][1])
        places = [node["position"] for node in self._nodes if _is_position(node.get("position"))]
        return (
            int(min((place[0] for place in places), default=0)) - _STEP,
            int(max((place[1] for place in places), default=-_STEP)) + _STEP,
        )

    def _connect(self, source: str, target: str) -> None:
        outputs = self.document["connections"].setdefault(source, {}).setdefault("main", [])
        if not outputs:
            outputs.append([])
        outputs[0] = [*(outputs[0] or []), {"node": target, "type": "main", "index": 0}]


def _merged(node: Json, built: BuiltNode, definition: RequestDefinition) -> Json:
    """The node's parameters with the parts of the request that they don't say yet; n8n's own options stay."""
    old: Json = dict(node.get("parameters") or {})
    options: Json = dict(old.get("options") or {})
    new_options: Json = built.parameters.get("options") or {}
    said = read_node(node)[0]
    again = read_node({**node, "typeVersion": max(_version(node), built.type_version), "parameters": built.parameters})[0]
    for part, (keys, option_keys) in _PARTS.items():
        if _says_the_same(part, said, again, definition, node, built):
            continue
        for key in keys:
            old.pop(key, None)
        old |= {key: built.parameters[key] for key in keys if key in built.parameters}
        for key in option_keys:
            options.pop(key, None)
        options |= {key: new_options[key] for key in option_keys if key in new_options}
    if "response" in new_options:
        response = dict((options.get("response") or {}).get("response") or {})
        options["response"] = {"response": {**response, **new_options["response"]["response"]}}
    if "lowercaseHeaders" in new_options:
        options["lowercaseHeaders"] = new_options["lowercaseHeaders"]
    return {**old, "options": options} if "options" in old or options else old


def _says_the_same(
    part: str, said: RequestDefinition, again: RequestDefinition, definition: RequestDefinition, node: Json, built: BuiltNode
) -> bool:
    """Whether the node has this part already, be it in another form: as the request has it, or as it would be written."""
    if part == "auth":
        used = _used(node)
        if built.credential is None:
            return not used or read_auth(used[0], None) is None  # a sign-in that only n8n knows is not the request's to end
        return bool(set(built.credential.types) & set(used))
    present = getattr(said, part)
    wanted = getattr(definition, part)
    if part in ("params", "headers"):
        present, wanted = (tuple((row.name, row.value) for row in rows if row.enabled) for rows in (present, wanted))
        written = tuple((row.name, row.value) for row in getattr(again, part) if row.enabled)
        left_out = {name.lower() for name, value in wanted if (name, value) not in written}
        return present == written or (present == wanted and left_out <= {"content-type"})
    return canonical(_plain(present)) in (canonical(_plain(wanted)), canonical(_plain(getattr(again, part))))


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _used(node: Json) -> list[str]:
    """The type of credential that the node signs in with, as a list of one or none."""
    parameters = node.get("parameters") or {}
    key = {"genericCredentialType": "genericAuthType", "predefinedCredentialType": "nodeCredentialType"}.get(
        str(parameters.get("authentication"))
    )
    return [str(parameters[key])] if key and parameters.get(key) else []


def _holds_variables(node: Json) -> bool:
    parameters = node.get("parameters") or {}
    named = str(node.get("name", "")).startswith(VARIABLES_NODE)
    return named and node.get("type") == SET and _version(node) >= 3.3 and parameters.get("mode", "manual") == "manual"


def _version(node: Json) -> float:
    version = node.get("typeVersion")
    return float(version) if isinstance(version, int | float) and not isinstance(version, bool) else 1.0


def _is_position(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(number, int | float) for number in value)
