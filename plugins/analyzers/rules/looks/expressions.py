"""Looks closer at failures of expressions: their syntax, the nodes and fields that they name, and item linking."""

from __future__ import annotations

import json
import re

from hub.plugin_api import Quote
from plugins.analyzers.rules.carrying import with_links
from plugins.analyzers.rules.case import Case, Path
from plugins.analyzers.rules.complaints import complained_names
from plugins.analyzers.rules.fields import Keys, closest, dig, find_path, render
from plugins.analyzers.rules.javascript import is_expression, repair_expression, replace_range
from plugins.analyzers.rules.json_texts import renders, repair_json_text
from plugins.analyzers.rules.likeness import is_of_its_holder
from plugins.analyzers.rules.node_references import Reference, has_value, node_references, renamed, replaced
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.references import Lost, lost_references
from plugins.analyzers.rules.rule import Finding
from plugins.analyzers.rules.templates import is_template, looks_like_template, placeholders, rewrite
from plugins.analyzers.rules.trace import Trace

_JSON_TEXTS = frozenset(("jsonBody", "jsonQuery", "jsonHeaders", "jsonOutput", "responseBody"))


_NOT_EVALUATED = frozenset(("jsCode", "pythonCode", "functionCode", "workflowJson", "html", "content"))


#: A field of the very same name was found: see ``fields.find_path``.
_SURE = 0.95
#: Nodes that leave out, mix or sort items, so that the first is no longer the first.
_ORDERING = frozenset(
    ("sort", "merge", "filter", "if", "switch", "removeDuplicates", "aggregate", "splitOut", "itemLists", "limit", "summarize")
)
_HALF_OPEN = re.compile(r"\{\{([^{}]*)\}(?!\})|(?<!\{)\{([^{}]*)\}\}")


def missing_prefix(case: Case) -> Finding | None:
    """A text with ``{{ }}`` but without ``=``, in the failing node or in one whose data it was given."""
    said = case.words + json.dumps(case.error.request or {}, ensure_ascii=False)
    own = [(path, value) for path, value in case.texts() if looks_like_template(value) and path[-1] not in _NOT_EVALUATED]
    shown = any(found.code.strip() and found.code.strip() in said for _, value in own for found in placeholders(value))
    if own and (shown or case.status in (400, 401, 403, 404, 409, 415, 422) or _is_about_json(case, own) or _takes_text(case)):
        edits = [Edit(str(case.name), path, _prefixed(case, path, value)) for path, value in own]
        return _prefix_finding(case, str(case.name), own[0], edits, 1.0 if shown else 0.85)
    if "{{" not in said:
        return None
    for name in case.ancestors:
        node = case.evidence.node(name) or {}
        plain = [
            (path, value) for path, value in case.texts(node) if looks_like_template(value) and path[-1] not in _NOT_EVALUATED
        ]
        shown_there = [entry for entry in plain if any(found.code.strip() in said for found in placeholders(entry[1]))]
        if shown_there:
            return _prefix_finding(case, name, shown_there[0], [Edit(name, path, f"={value}") for path, value in plain], 0.9)
    return None


def _takes_text(case: Case) -> bool:
    """Whether the failure is of a kind that a parameter taken as plain text leads to."""
    return bool(re.match(r"Invalid date|Invalid input for|.*(?:expects an?|must be an?|is not a valid)\b", case.error.message))


def _is_about_json(case: Case, own: list[tuple[Path, str]]) -> bool:
    return "JSON" in case.error.message and any(path[-1] in _JSON_TEXTS for path, _ in own)


def _prefixed(case: Case, path: Path, value: str) -> str:
    if path[-1] in _JSON_TEXTS and not renders(case, value):
        return repair_json_text(case, f"={value}") or f"={value}"
    return f"={value}"


def _prefix_finding(case: Case, name: str, entry: tuple[Path, str], edits: list[Edit], certainty: float) -> Finding:
    index = next((i for i, node in enumerate(case.evidence.workflow["nodes"]) if node.get("name") == name), 0)
    pointer = f"/workflow/nodes/{index}/" + "/".join(str(key) for key in entry[0])
    return Finding(
        node=name,
        words={"text": entry[1][:120]},
        edits=edits,
        quotes=(Quote(pointer=pointer, quote=entry[1][:300]),),
        certainty=certainty,
    )


def syntax(case: Case) -> Finding:
    """Every expression of the failing node that does not parse, repaired."""
    edits, broken = [], ""
    for path, given in case.texts():
        if not is_template(given) or path[-1] in _NOT_EVALUATED:
            continue
        value = _unnested(given)
        closed = (
            _HALF_OPEN.sub(lambda found: "{{" + (found.group(1) or found.group(2) or "") + "}}", value)
            if value.count("{{") != value.count("}}")
            else value
        )
        wrong = [found.code for found in placeholders(closed) if not is_expression(found.code)]
        if not wrong and closed == given:
            continue
        broken = broken or (wrong[0].strip() if wrong else given)
        fixed = rewrite(closed, lambda code: code if is_expression(code) else repair_expression(code)) or closed
        if all(is_expression(found.code) for found in placeholders(fixed)):
            edits.append(Edit(str(case.name), path, fixed))
    return Finding(words={"expression": broken or "?", "fixed": str(edits[0].value)[:160] if edits else ""}, edits=edits)


def _unnested(value: str) -> str:
    """``{{ {{ a }} }}`` with one pair of braces."""
    return re.sub(r"\{\{\s*\{\{([^{}]*)\}\}\s*\}\}", r"{{\1}}", value)


def unknown_node(case: Case) -> Finding:
    """The existing node that a reference to a missing one meant: by its name, and by having the data."""
    missing = case.error.node_cause or ""
    names = [str(node.get("name")) for node in case.evidence.workflow["nodes"] if node.get("name") != case.name]
    keys = [reference.keys for reference in node_references(case, missing)]
    holding = [name for name in case.ancestors if keys and all(has_value(case.output(name), path) for path in keys if path)]
    meant = (
        closest(missing, names, 82)
        or closest(missing, holding, 40)
        or (holding[0] if len(holding) == 1 and any(map(_is_telling, keys)) else None)
        or _of_default_name(case, missing)
        or closest(missing, names if not any(keys) else holding, 62)
        or (_only_source(case) if not any(keys) else None)
    )
    if not meant:
        return Finding(words={"missing": missing})
    certainty = 1.0 if meant in holding or closest(missing, names, 82) else 0.8
    return Finding(words={"missing": missing, "meant": meant}, edits=renamed(case, missing, meant), certainty=certainty)


def _is_telling(path: Keys) -> bool:
    """Whether a path says whose data it leads to: many nodes put out a ``name``, few a ``body.name``."""
    return len(path) > 1 or (bool(path) and not is_of_its_holder(str(path[-1])))


def _of_default_name(case: Case, missing: str) -> str | None:
    """The only node of the kind that n8n names so by itself: ``HTTP Request1`` of before is the ``httpRequest`` of now."""
    default = re.sub(r"[\W\d_]", "", missing).lower()
    kind = "set" if default == "editfields" else default
    found = [name for name in case.ancestors if case.kind_of(name).lower() == kind]
    return found[0] if len(found) == 1 else None


def _only_source(case: Case) -> str | None:
    """The only node before this one that is no trigger: a count of items, say, can be of no other node's."""
    sources = [name for name in case.ancestors if case.parents.get(name)]
    return sources[0] if len(sources) == 1 else None


def unconnected(case: Case) -> Finding | None:
    """A node without a way to the failing one, which did not run either."""
    return None if case.has_run(case.error.node_cause or "") else unexecuted(case)


def unexecuted(case: Case) -> Finding:
    """References to a node that did not run, led to the same field elsewhere."""
    missing = case.error.node_cause or ""
    inside_code = case.kind == "code"

    def elsewhere(reference: Reference) -> str | None:
        if reference.keys and _stays_itself(reference) and has_value([case.item], reference.keys):  # in the input itself
            return ("$input.first().json" if inside_code and not _each_item(case) else "$json") + reference.keys_text
        for name in case.ancestors:
            if (
                reference.keys
                and _stays_itself(reference)
                and case.has_run(name)
                and has_value(case.output(name), reference.keys)
            ):
                access = "first()" if inside_code else "item"
                return f"$('{_quoted(name)}').{access}.json{reference.keys_text}"
        return _same_field(case, reference, inside_code=inside_code)

    edits = replaced(case, list(node_references(case, missing)), elsewhere)
    return Finding(words={"missing": missing}, edits=edits or ())


def _stays_itself(reference: Reference) -> bool:
    """Whether a field of that path is the same in another node's items: a name or an id is of what the node is about."""
    return len(reference.keys) > 1 or not is_of_its_holder(str(reference.keys[-1]))


def _same_field(case: Case, reference: Reference, *, inside_code: bool) -> str | None:
    """A field of the very same name in the input, or in a node before, under another path."""
    key = str(reference.keys[-1]) if reference.keys else ""
    for name in case.ancestors if key else ():
        for item in case.output(name)[:1]:
            found = find_path(item, key, lambda value: isinstance(value, str | int | float))
            if found and str(found[0][-1]) == key and not is_of_its_holder(key):
                return f"$('{_quoted(name)}').{'first()' if inside_code else 'item'}.json{render(found[0])}"
    return None


def _each_item(case: Case) -> bool:
    return case.parameters.get("mode") == "runOnceForEachItem"


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")


def paired(case: Case) -> Finding:
    """Each ``.item`` of the failing node led to a place that needs no item linking."""
    edits: list[Edit] = []
    for name in dict.fromkeys([*case.ancestors, *case.evidence.node_data]):
        linked = [
            entry
            for entry in node_references(case, name)
            if ".item" in entry.access or ".pairedItem" in entry.access or not entry.access
        ]
        if not linked:
            continue
        made = replaced(case, linked, lambda reference, source=name: _unlinked(case, source, reference))  # type: ignore[misc]
        if made is None:
            return Finding(words={"cause": case.error.node_cause or "?"}, edits=_linked_again(case))
        edits += made
    return Finding(words={"cause": case.error.node_cause or "?"}, edits=_merged(edits))


def _linked_again(case: Case) -> list[Edit]:
    """The code that lost the links made to keep them, where each of its items comes from one item of its input."""
    name = case.error.node_cause or ""
    parameters = (case.evidence.node(name) or {}).get("parameters") or {}
    if case.kind_of(name) != "code" or parameters.get("mode") == "runOnceForEachItem":
        return []
    code = with_links(str(parameters.get("jsCode") or ""))
    return [Edit(name, ("parameters", "jsCode"), code)] if code else []


def _merged(edits: list[Edit]) -> list[Edit]:
    """Nothing, where two nodes are named in one text: the second edit would undo the first."""
    return edits if len({edit.path for edit in edits}) == len(edits) else []


def _unlinked(case: Case, name: str, reference: Reference) -> str | None:
    items = case.output(name)
    data = case.evidence.node_data.get(name)
    values = [dig(item, reference.keys) for item in items]
    if data and items and (data.item_count == 1 or (reference.keys and all(value == values[0] for value in values))):
        return f"$('{_quoted(name)}').first().json{reference.keys_text}"
    if reference.keys and has_value([case.item], reference.keys):
        return f"$json{reference.keys_text}"
    if data and data.item_count == case.evidence.input_count > 0 and _keeps_order(case, name):
        return f"$('{_quoted(name)}').all()[$itemIndex].json{reference.keys_text}"
    return None


def _keeps_order(case: Case, name: str) -> bool:
    """Whether every node between the two gives its items in the order in which it was given them."""
    between = case.ancestors[: case.ancestors.index(name)] if name in case.ancestors else case.ancestors
    return not any(case.kind_of(other) in _ORDERING for other in between)


def lost_in_request(case: Case) -> Finding | None:
    """References that gave nothing, in the part of the request that the answer can be about."""
    places = (
        {"url", "queryParameters", "jsonQuery"}
        if case.status == 404 or not case.status
        else {
            "url",
            "queryParameters",
            "jsonQuery",
            "bodyParameters",
            "jsonBody",
            "body",
            "headerParameters",
        }
    )
    named = complained_names(case) if case.status != 404 else []
    lost = [entry for entry in lost_references(case) if len(entry.path) > 1 and entry.path[1] in places]
    lost = [entry for entry in lost if not entry.has_default or (named and _is_about(case, entry, named))]
    about = [entry for entry in lost if not named or _is_about(case, entry, named)]
    # A service names the first field that it misses; others that went the same way would be refused next.
    alike = [entry for entry in lost if entry not in about and entry.edit and entry.certainty >= _SURE]
    return _lost_finding(about + alike) if any(entry.edit for entry in about) else None


def _is_about(case: Case, lost: Lost, named: list[str]) -> bool:
    """Whether the answer complains about the field that the reference was to fill."""
    holder = dig(case.node, lost.path[:-1])
    names = [str(holder.get("name"))] if isinstance(holder, dict) and "name" in holder else []
    if lost.path[-1] in _JSON_TEXTS:
        names += re.findall(r'"([^"]+)"\s*:\s*"?\s*\{\{[^}]*' + re.escape(lost.reference), str(dig(case.node, lost.path)))
    return any(closest(name + "\x00", named, 90) or name in named for name in names)


def lost_anywhere(case: Case) -> Finding | None:
    """References of the failing node that gave nothing."""
    lost = [entry for entry in lost_references(case) if not entry.has_default]
    if "Invalid URL" in case.error.message or "URL parameter" in case.error.message:
        lost = [entry for entry in lost if entry.path[1:2] == ("url",)]
    return _lost_finding(lost) if any(entry.edit for entry in lost) else None


def _lost_finding(lost: list[Lost]) -> Finding:
    mended = [entry for entry in lost if entry.edit]
    first = mended[0]
    # The mends of one parameter stand in one edit.
    edits = list({entry.path: entry.edit for entry in mended if entry.edit}.values())
    certainty = min(entry.certainty for entry in mended)
    return Finding(words={"reference": first.reference, "now": first.now}, edits=edits, certainty=max(certainty, 0.7))


def function_type(case: Case) -> Finding:
    """A function of n8n's expressions on a value that has to be converted before."""
    shown = re.search(r"(\w+)\(\) is only callable on types? (.+)", case.error.message)
    name, types = (shown.group(1), re.findall(r'"(\w+)"', shown.group(2))) if shown else ("?", [])
    edits = []
    for path, value in case.texts():
        new = rewrite(value, lambda code: _on_type(case, code, name, types)) if is_template(value) else None
        if new:
            edits.append(Edit(str(case.name), path, new))
    return Finding(words={"function": name, "type": ", ".join(types) or "?"}, edits=edits)


def _on_type(case: Case, code: str, name: str, types: list[str]) -> str | None:
    """The code with a conversion before each call of the function whose value needs one."""
    trace = Trace(case, code)
    for step in trace.steps(name):
        value = step.holder
        converter = None
        if isinstance(value, str) and "Number" in types and re.fullmatch(r"\s*-?\d+(?:\.\d+)?\s*", value):
            converter = ".toNumber()"
        elif isinstance(value, str) and "Date" in types and re.match(r"\d{4}-\d{2}-\d{2}", value):
            converter = ".toDateTime()"
        elif isinstance(value, int | float) and not isinstance(value, bool) and "String" in types:
            converter = ".toString()"
        if converter:
            return replace_range(code, step.object.end_byte, step.object.end_byte, converter)
    return None


def index(case: Case) -> Finding:
    """A Switch output that is one too high, as numbers counted from 1 are."""
    shown = re.search(r"ou?t?put (-?\d+) is not allowed", case.error.message)
    bounds = re.search(r"between 0 and (\d+)|extra output use (\d+)", case.words)
    value = case.parameters.get("output")
    if (
        not shown
        or not bounds
        or not isinstance(value, str)
        or int(shown.group(1)) != int(bounds.group(1) or bounds.group(2)) + 1
    ):
        return Finding()
    new = rewrite(value, lambda code: f" ({code.strip()}) - 1 ") if is_template(value) else None
    return Finding(edits=(Edit(str(case.name), ("parameters", "output"), new),) if new else (), certainty=0.95)
