"""Looks closer at failures of the request itself: its address, headers, body, paging, and the format of the answer."""

from __future__ import annotations

import ipaddress
import re

from hub.plugin_api import Quote
from plugins.analyzers.rules.case import Case, Path
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN, closest, dig
from plugins.analyzers.rules.json_texts import expression_value, renders, repair_json_text
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.references import lost_references
from plugins.analyzers.rules.rule import Finding
from plugins.analyzers.rules.templates import is_template, placeholders, rewrite

_URL: Path = ("parameters", "url")


_FORMAT: Path = ("parameters", "options", "response", "response", "responseFormat")


_SCHEME = re.compile(r"^[\"'\s]*([A-Za-z]{2,8}):?/{1,3}(?=[\w{\[])")


_HOST = re.compile(r"^[\"'\s]*(\[[0-9a-fA-F:]+\]|[\w.\-]+)(:\d+)?(?:[/?#]|$)")


_JSON_PARAMETERS = {
    "json body": "jsonBody",
    "json query parameters": "jsonQuery",
    "json headers": "jsonHeaders",
    "json output": "jsonOutput",
    "response body": "responseBody",
    "json": "jsonBody",
    "body parameters": "bodyParametersJson",
    "query parameters": "queryParametersJson",
    "headers": "headerParametersJson",
}


_TOKEN_NAME = re.compile(r"[^!#$%&'*+\-.^`|~\w]+")


def invalid_url(case: Case) -> Finding | None:
    """An address without a proper scheme, or with quotes or spaces around it."""
    url = case.parameters.get("url")
    shown = re.search(r"Invalid URL: ([\s\S]*?)\. URL must", case.error.message)
    rendered = shown.group(1) if shown else str((case.error.request or {}).get("uri") or "")
    if rendered.startswith(("undefined", "null")):
        return None
    words = {"url": rendered}
    if not isinstance(url, str):
        return Finding(words=words)
    if _has_no_host(case, url, rendered):
        return Finding(words=words, certainty=0.9)
    plain, prefix = url.removeprefix("="), "=" if url.startswith("=") else ""
    fixed = _fixed_url(rendered)
    if fixed is None:
        return Finding(words=words)
    settings = _in_settings(case, url, rendered, fixed)
    if settings:
        return settings
    if plain == rendered:
        new = prefix + fixed
    elif fixed == rendered.strip() and is_template(url) and len(placeholders(url)) == 1:
        new = str(rewrite(url.strip(), lambda code: f" ({code.strip()}).trim() "))
    elif fixed.endswith(rendered) and is_template(url):
        new = f"={fixed.removesuffix(rendered)}{plain.lstrip()}"
    else:
        return Finding(words=words)
    return Finding(words={**words, "fixed": fixed}, edits=(Edit(str(case.name), _URL, new),))


def _has_no_host(case: Case, url: str, rendered: str) -> bool:
    """Whether what should have brought the host is lost: an instance variable, or an expression that gave nothing."""
    first = placeholders(url)[0] if re.match(r"=\s*\{\{", url) and placeholders(url) else None
    if first is None:
        return False
    if re.search(r"\$(?:vars|env|secrets)\b|process\.env", first.code) or re.match(r"\s*(?:/(?!/)|[?:#]|$)", rendered):
        return True
    return expression_value(case, first.code) in (None, UNDEFINED, "")


def _in_settings(case: Case, url: str, rendered: str, fixed: str) -> Finding | None:
    """The address in an earlier Edit Fields node from which the node's own address begins, with its scheme."""
    found = re.match(r"=\s*\{\{\s*\$(?:json|\([^()]*\)\.\w+(?:\(\))?\.json)\.(\w+)\s*\}\}", url)
    scheme = fixed.removesuffix(rendered)
    if found is None or fixed == rendered or scheme not in ("http://", "https://"):
        return None
    places = [
        (name, index, str(entry.get("value")))
        for name in case.ancestors
        if case.kind_of(name) == "set"
        for index, entry in enumerate(_assignments(case, name))
        if isinstance(entry, dict) and entry.get("name") == found.group(1)
    ]
    if len(places) != 1 or not places[0][2].strip() or not rendered.startswith(places[0][2]):
        return None
    name, index, value = places[0]
    edit = Edit(name, ("parameters", "assignments", "assignments", index, "value"), scheme + value)
    return Finding(node=name, words={"url": rendered, "fixed": fixed}, edits=(edit,))


def _assignments(case: Case, name: str) -> list[object]:
    entries = dig((case.evidence.node(name) or {}).get("parameters") or {}, ("assignments", "assignments"))
    return entries if isinstance(entries, list) else []


def _fixed_url(url: str) -> str | None:
    """The address with its scheme added or corrected, without quotes and spaces around it."""
    bare = url.strip().strip("\"'").strip()
    if re.match(r"^https?://[\w\[]", bare):
        return bare if bare != url else None
    found = _SCHEME.match(bare)
    if found:
        typed = found.group(1).lower()
        scheme = typed if typed in ("http", "https") else closest(typed, ("http", "https"), 60)
        return f"{scheme}://{bare[found.end() :]}" if scheme else None
    bare = bare.lstrip(":/")
    host = _HOST.match(bare)
    if not host:
        return None
    return ("http://" if is_local(host.group(1)) else "https://") + bare


def is_local(host: str) -> bool:
    """Whether a host is of this machine or network, where plain HTTP is usual."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan", ".localhost"))


def header_name(case: Case) -> Finding:
    """The header whose name holds what HTTP does not allow."""
    shown = re.search(r'\["([^"]*)"\]', case.error.message)
    wrong = shown.group(1) if shown else ""
    entries = dig(case.parameters, ("headerParameters", "parameters"))
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        name = str(entry.get("name", "")) if isinstance(entry, dict) else ""
        if name.lower() == wrong.lower() or (not wrong and _TOKEN_NAME.search(name)):
            fixed = _TOKEN_NAME.sub("-", name.strip().strip(":").strip()).strip("-")
            edit = Edit(str(case.name), ("parameters", "headerParameters", "parameters", index, "name"), fixed)
            return Finding(words={"header": name, "fixed": fixed}, edits=(edit,) if fixed else ())
    return Finding(words={"header": wrong or "?"})


def header_value(case: Case) -> Finding:
    """The header whose value holds a line break."""
    shown = re.search(r'\["([^"]*)"\]', case.error.message)
    wrong = (shown.group(1) if shown else "").lower()
    entries = dig(case.parameters, ("headerParameters", "parameters"))
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict) or str(entry.get("name", "")).lower() != wrong or not isinstance(entry.get("value"), str):
            continue
        new = _clean_header(entry["value"])
        if new and new != entry["value"]:
            path: Path = ("parameters", "headerParameters", "parameters", index, "value")
            return Finding(words={"header": entry["name"]}, edits=(Edit(str(case.name), path, new),))
    return Finding(words={"header": wrong or "?"})


def _clean_header(value: str) -> str | None:
    """The header's value on one line, without what Latin-1 does not hold."""
    if not is_template(value):
        return re.sub(r"[^\t\x20-\xff]+", " ", value).strip()
    return rewrite(value, lambda code: f" String({code.strip()}).replace(/[^\\t\\x20-\\x7e\\x80-\\xff]+/g, ' ').trim() ")


def json_parameter(case: Case) -> Finding:
    """The JSON that was typed into a parameter, repaired."""
    shown = re.search(r"[\"'‘]([\w ]+)[\"'’]", case.error.message)
    label = shown.group(1) if shown else ""
    key = _JSON_PARAMETERS.get(label.lower())
    value = case.parameters.get(key) if key else None
    if key is None or not isinstance(value, str):
        return Finding(words={"field": label or "JSON"})
    lost = [entry for entry in lost_references(case) if entry.path == ("parameters", key) and entry.edit]
    fixed = str(lost[0].edit.value) if lost and lost[0].edit else repair_json_text(case, value)
    if lost and fixed and not renders(case, fixed.removeprefix("=")):
        fixed = repair_json_text(case, fixed)
    quote = Quote(pointer=f"/workflow/nodes/{_index(case)}/parameters/{key}", quote=value[:300])
    edits = (Edit(str(case.name), ("parameters", key), fixed),) if fixed else ()
    return Finding(words={"field": label}, edits=edits, quotes=(quote,))


def _index(case: Case) -> int:
    return next((index for index, node in enumerate(case.evidence.workflow["nodes"]) if node.get("name") == case.name), 0)


def as_text(case: Case) -> Finding:
    """Keeping the answer as text helps only where the nodes behind do not read fields of it."""
    reads = [name for name in case.children if _reads_fields(case, name)]
    if reads or case.kind != "httpRequest":
        return Finding(words={"reader": reads[0] if reads else ""}, certainty=0.95)
    return Finding(edits=(Edit(str(case.name), _FORMAT, "text"),))


def _reads_fields(case: Case, name: str) -> bool:
    output = str(dig(case.parameters, ("options", "response", "response", "outputPropertyName")) or "data")
    node = case.evidence.node(name) or {}
    fields = [field for _, value in case.texts(node) for field in re.findall(r"(?:\$json|\.json)\??\.(\w+)", value)]
    return any(field != output for field in fields) or case.kind_of(name) in (
        "splitOut",
        "aggregate",
        "summarize",
        "sort",
        "if",
        "filter",
        "switch",
    )


def redirects(case: Case) -> Finding:
    """A limit of redirects that is lower than usual, or redirects that are not followed."""
    path: Path = ("options", "redirect", "redirect")
    limit = dig(case.parameters, (*path, "maxRedirects"))
    if case.status and dig(case.parameters, (*path, "followRedirects")) is False:
        return Finding(edits=(Edit(str(case.name), ("parameters", *path, "followRedirects"), True),), certainty=0.8)
    if isinstance(limit, int) and limit < 10:
        return Finding(edits=(Edit(str(case.name), ("parameters", *path, "maxRedirects"), 21),))
    return Finding()


def empty_url(case: Case) -> Finding:
    """An address whose expression gave nothing."""
    url = case.parameters.get("url")
    known = isinstance(url, str) and bool(placeholders(url)) and expression_value(case, placeholders(url)[0].code) is not UNKNOWN
    return Finding(certainty=1.0 if known else 0.9)
