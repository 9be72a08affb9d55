"""Looks closer at failures of the instance or its set-up: credentials, runners, access, memory."""

from __future__ import annotations

import re

from plugins.analyzers.rules.case import Case, walk_texts
from plugins.analyzers.rules.fields import closest
from plugins.analyzers.rules.libraries import without_module
from plugins.analyzers.rules.patch import WORKFLOW, Edit
from plugins.analyzers.rules.rule import Finding

#: Seconds that a workflow which calls other services may well take.
_USUAL_LIMIT = 60


def module(case: Case) -> Finding:
    """The module that the code asks for."""
    shown = re.search(r"(?:Module|module) '([^']+)'|^(\w+) is not defined", case.error.message)
    name = shown.group(1) or shown.group(2) if shown else "?"
    fixed = without_module(case, str(case.parameters.get("jsCode") or ""), name) if case.kind == "code" else None
    return Finding(words={"module": name}, edits=(Edit(str(case.name), ("parameters", "jsCode"), fixed),) if fixed else ())


def model_name(case: Case) -> Finding | None:
    """A model that its service does not know, led to the one that another node of the workflow names."""
    shown = re.search(
        r"model[:\s]+[`'\"‘]?([\w.:/-]+)[`'\"’]?\s+(?:does not exist|not found|is not found)", case.words, re.IGNORECASE
    )
    if not shown:
        return None
    places = [
        (str(node["name"]), path, value)
        for node in case.evidence.workflow["nodes"]
        for path, value in case.texts(node)
        if "model" in path[1:2] or "modelName" in path[1:2] or "modelId" in path[1:2]
    ]
    wrong = [(name, path) for name, path, value in places if value == shown.group(1) and path[-1] != "cachedResultName"]
    meant = closest(shown.group(1), [value for _, path, value in places if value != shown.group(1) and path[-1] != "mode"], 85)
    if not wrong or not meant:
        return None
    return Finding(node=wrong[0][0], words={"meant": meant}, edits=[Edit(name, path, meant) for name, path in wrong])


def graphql(case: Case) -> Finding:
    """The field that the schema does not have, led to the one that the answer proposes."""
    shown = re.search(r"(?:field|argument) ['\"‘]?(\w+)['\"’]?[\s\S]*?did you mean ['\"‘]?(\w+)", case.words, re.IGNORECASE)
    query = case.parameters.get("query")
    if not shown or not isinstance(query, str):
        return Finding(words={"meant": ""})
    wrong, meant = shown.groups()
    # What stands between {{ and }} is JavaScript, which may have the same word.
    parts = re.split(r"(\{\{[\s\S]*?\}\})", query)
    found = [index for index in range(0, len(parts), 2) if re.search(rf"\b{wrong}\b", parts[index])]
    if len(found) != 1 or len(re.findall(rf"\b{wrong}\b", parts[found[0]])) != 1:
        return Finding(words={"meant": meant})
    parts[found[0]] = re.sub(rf"\b{wrong}\b", meant, parts[found[0]])
    return Finding(words={"meant": meant}, edits=(Edit(str(case.name), ("parameters", "query"), "".join(parts)),))


def telegram_markup(case: Case) -> Finding:
    """HTML as the text's markup, where nothing in the text means something in HTML."""
    text = case.parameters.get("text")
    values = "".join(value for _, value in walk_texts(case.item)) if isinstance(text, str) and "{{" in text else ""
    if (
        case.kind != "telegram"
        or not isinstance(text, str)
        or re.search(r"[<&*`]", re.sub(r"\{\{[\s\S]*?\}\}", "", text) + values)
    ):
        return Finding()
    return Finding(edits=(Edit(str(case.name), ("parameters", "additionalFields", "parse_mode"), "HTML"),))


def workflow_timeout(case: Case) -> Finding | None:
    """A cancelled run without any error: n8n stops it so when the workflow's own time is over."""
    if case.evidence.status != "canceled" or case.error.message or case.error.withheld:
        return None
    limit = case.evidence.workflow["settings"].get("executionTimeout")
    if not isinstance(limit, int) or limit <= 0:
        return Finding(certainty=0.7)
    data = case.evidence.node_data
    waiting = [
        name
        for name, parents in case.parents.items()
        if any(parent in data and data[parent].item_count for parent in parents) and not (name in data and data[name].item_count)
    ]
    # Where the limit is short, it is what is wrong; a long one shows a run that takes too long.
    edits = (Edit(WORKFLOW, ("settings", "executionTimeout"), _USUAL_LIMIT),) if limit < _USUAL_LIMIT else ()
    return Finding(node=waiting[0] if len(waiting) == 1 else None, edits=edits)


def withheld(case: Case) -> Finding | None:
    """An error of which n8n tells nothing."""
    return Finding() if case.error.withheld and not case.error.code else None
