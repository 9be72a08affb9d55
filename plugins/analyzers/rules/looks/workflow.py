"""Looks closer at failures of the workflow as a whole: stops on purpose, responses, sub-workflows, node types."""

from __future__ import annotations

import re

from hub.plugin_api import Quote
from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding

_THROW = re.compile(r"throw\s+(?:new\s+\w*Error\s*\(\s*)?(`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")?")


def thrown(case: Case) -> Finding | None:
    """A throw in the code whose words are those of the error, or which stands on the failing line."""
    code = str(case.parameters.get("jsCode") or case.parameters.get("functionCode") or "")
    message = re.sub(r" \[line \d+(?:, for item \d+)?\]$", "", case.error.message)
    lines = code.splitlines()
    line = lines[case.error.line_number - 1] if case.error.line_number and case.error.line_number <= len(lines) else ""
    for found in _THROW.finditer(code):
        literal = (found.group(1) or "")[1:-1]
        parts = [part.strip() for part in re.split(r"\$\{[^}]*\}", literal) if len(part.strip()) >= 4]
        if (parts and all(part in message for part in parts)) or (
            found.group().split("(")[0].strip() in line and "throw" in line and not parts
        ):
            return Finding(words={"message": message}, quotes=(Quote(pointer="/workflow/nodes", quote=found.group()[:200]),))
    return None


_BUILT_IN = re.compile(
    r"\w*Error\b|^Cannot (?:read|set|convert|access|destructure)|is not (?:a function|defined|iterable|valid JSON)"
)


def thrown_elsewhere(case: Case) -> Finding | None:
    """An error with words of the author's own: JavaScript names the class of its own errors in the description."""
    code = str(case.parameters.get("jsCode") or case.parameters.get("functionCode") or "")
    own_words = case.error.line_number is not None and not case.error.description and not _BUILT_IN.search(case.error.message)
    if not own_words or case.error.class_name != "WrappedExecutionError" or not re.search(r"\bthrow\b|\.reject\(", code):
        return None
    return Finding(words={"message": case.error.message})


def child_threw(case: Case) -> Finding | None:
    """The same in a sub-workflow, whose code is not at hand."""
    by_code = re.search(r" \[line \d+(?:, for item \d+)?\]$", case.error.message)
    if not by_code or case.error.description or _BUILT_IN.search(case.error.message):
        return None
    return Finding(words={"message": case.error.message})


def stop_node(case: Case) -> Finding | None:
    """A Stop and Error node did what it is for."""
    return Finding() if case.kind == "stopAndError" else None


def child_stopped(case: Case) -> Finding | None:
    """A sub-workflow that stopped on purpose, as its parent reports it."""
    child = case.error.response
    node = child.get("node") if isinstance(child, dict) else None
    return Finding() if isinstance(node, dict) and str(node.get("type", "")).endswith(".stopAndError") else None


def _webhook(case: Case) -> tuple[str, str] | None:
    """The webhook's name and its response mode."""
    for node in case.evidence.workflow["nodes"]:
        if str(node.get("type", "")).endswith(".webhook") and (node.get("name") == case.name or case.kind != "webhook"):
            return str(node["name"]), str((node.get("parameters") or {}).get("responseMode", "onReceived"))
    return None


def no_respond_node(case: Case) -> Finding:
    """The webhook that waits for a respond node."""
    found = _webhook(case)
    if found is None:
        return Finding()
    return Finding(node=found[0], edits=(Edit(found[0], ("parameters", "responseMode"), "lastNode"),))


def unused_respond_node(case: Case) -> Finding:
    """The webhook that answers by itself beside a respond node."""
    found = _webhook(case)
    if found is None:
        return Finding()
    return Finding(node=found[0], edits=(Edit(found[0], ("parameters", "responseMode"), "responseNode"),))


def node_type(case: Case) -> Finding:
    """The type that the instance does not know."""
    shown = re.search(r"(?:Unrecognized|unknown) node type:?\s*\"?([@\w./\-]+)", case.words, re.IGNORECASE)
    return Finding(words={"type": shown.group(1) if shown else "?"})
