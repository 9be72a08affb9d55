"""Requests that nobody should send: a seeded source of mutated forms, JSON bodies, addresses and headers.

What is mutated comes from the app itself: the forms of its own pages with the values they came with, and bodies that fit the
schemas of the API's document. So a new route is mutated without a line here.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from flask import Flask

from tests.plain_browser import read_page
from tests.security.routes import Route, routes

#: What stands where a form, an address or a header has something else.
TEXTS: tuple[str, ...] = (
    *("", " ", "\0", "a\0b", "\r\n", "a\r\nSet-Cookie: x=1", "\x1b[2J", "\x7f", "\t", "\ufeff", "\u202e", "\u200b", "\U000e0001"),
    *("\ud800", "a\udfffb", "é" * 300, "😀" * 70, "ا" * 2000, "x" * 70_000, "a" * 255 + "@example.com", "ß", "İ", "ﬃ"),
    *(
        "-1",
        "0",
        "1",
        "٣",
        "²",
        "1.5",
        "1e999",
        "-1e999",
        "NaN",
        "Infinity",
        "9" * 20,
        "9" * 400,
        "9" * 5000,
        "0x10",
        "1_0",
        "-0",
    ),
    *(
        "2147483648",
        "9223372036854775808",
        "-9223372036854775809",
        "true",
        "null",
        "[]",
        "{}",
        '"',
        "'",
        "`",
        "\\",
        "%",
        "%%",
        "%s%n",
    ),
    *("%00", "%ZZ", "%", "&", "=", ";", "' OR '1'='1", "1; DROP TABLE users--", "1 UNION SELECT NULL", "$(id)", "|id", "{{7*7}}"),
    *("${7*7}", "={{ $json }}", "{{SHOP}}", "{{", "{{{{}}}}", "{% x %}", "<script>alert(1)</script>", '"><img src=x onerror=1>'),
    *(
        "../../etc/passwd",
        "..\\..",
        "/etc/passwd",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:,x",
        "//evil.example",
        "/\\x",
    ),
    *(
        "http://",
        "http://[::1",
        "http://[]/",
        "http://a:b@c:d/",
        "http://x:99999/",
        "http://x:-1/",
        "http://\u2028/",
        "http://a b/",
    ),
    *(
        "http://127.0.0.1:1/",
        "http://169.254.169.254/",
        "http://xn--/",
        "http://" + "a" * 300 + "/",
        "https://ex\u00e4mple.test/ü?q=ü#f",
    ),
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-13-45", "2026-02-30T25:61:61Z", "1970-01-01", "12:00", "P1Y"),
    *(
        "(",
        "[",
        "(a+)+$",
        "*",
        "?",
        "\\p{",
        "(?P<a>",
        "$",
        "$..*",
        "$[?(@.a==1)]",
        "a.b[",
        "//*[",
        "/~2",
        "-",
        "c" + "0" * 24,
        "undefined",
    ),
    *(
        "[" * 2000,
        '{"a":' * 2000,
        "((((((((((" * 200,
        "a," * 5000,
        "a\n" * 5000,
        "a:b\n" * 500,
        "Basic x",
        "Bearer ",
        "curl",
        "curl -X",
    ),
    *(
        "curl 'http://x' -H 'a",
        "curl http://127.0.0.1:1/ -d @/etc/passwd",
        "openapi: 3.0.0",
        '{"info":{"schema":""},"item":[{}]}',
    ),
    *("&a: *a", "- &a [*a, *a]", "!!python/object:os.system x", "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, [], {}, [None], [[]], {"": None}),
    *([{}], {"a": {"a": {"a": 1}}}, [1, "a", None, {}], {"$ref": "#"}, {"__proto__": {}}, {"\ud800": 1}, {"a\0": 1}),
)
#: JSON texts that are none, or that no sober program writes.
DOCUMENTS: tuple[bytes, ...] = (
    *(
        b"",
        b" ",
        b"null",
        b"true",
        b"1",
        b'"x"',
        b"[]",
        b"{}",
        b"{",
        b"[",
        b"{]",
        b'{"a":}',
        b'{"a":1,}',
        b"{'a':1}",
        b"NaN",
        b'{"a":NaN}',
    ),
    *(
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"a":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"a":1e400}',
        b'{"a":' + b"9" * 5000 + b"}",
    ),
    *(
        b'{"a":1,"a":2}',
        b'\xef\xbb\xbf{"a":1}',
        b"\xff\xfe{\x00}\x00",
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\ud800"}',
    ),
    *(b'{"a":"\x00"}', b'{"a":"\\u0000"}', b'{"\\ud800":"x"}', b"\x1f\x8b\x08\x00", b"<a/>", b"a=1&b=2", b"\x00" * 100),
)
TYPES: tuple[str | None, ...] = (
    *(
        None,
        "",
        "x",
        "text/plain",
        "application/json",
        "application/json; charset=utf-16",
        "application/json; charset=x",
        "text/html",
    ),
    *("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-7", "multipart/form-data"),
    *("multipart/form-data; boundary=", "multipart/form-data; boundary=x", "multipart/form-data; boundary=" + "x" * 300),
    *("application/octet-stream", "application/vnd.api+json", "multipart/mixed; boundary=x", "a/b; c=\xff", ";;;"),
)
PARTS: tuple[bytes, ...] = (
    *(b"", b"--x", b"--x--", b"--x\r\n\r\n--x--", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"),
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="../a\x00b"\r\nContent-Type: x/\xff\r\n\r\n\xff\xfe\r\n--x--',
    b"--x\r\nContent-Disposition: form-data; name=\"a\"; filename*=UTF-8''%ff\r\n\r\n1\r\n--x--",
    b'--x\r\nContent-Disposition: form-data; name="document"; filename="a.json"\r\n\r\n' + b"[" * 50_000 + b"\r\n--x--",
    b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--x--',
    b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+AD4-\r\n--x--',
    b"--x\r\n" * 300,
)
HEADERS = (
    *("HX-Request", "HX-Target", "HX-Current-URL", "HX-Trigger", "HX-Trigger-Name", "HX-Boosted", "HX-Prompt", "Accept"),
    *("Accept-Language", "User-Agent", "Referer", "Cookie", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"),
    *("If-None-Match", "If-Modified-Since", "Range", "Authorization", "Content-Encoding", "X-Request-ID", "X-CSRFToken", "Date"),
)
#: Parameters of addresses that some page reads; a page that does not know one passes over it.
ARGUMENTS = (
    *(
        "cursor",
        "limit",
        "search",
        "status",
        "period",
        "instance",
        "workflow",
        "tag",
        "state",
        "live",
        "node",
        "run",
        "version",
        "part",
    ),
    *(
        "next",
        "sort",
        "order",
        "page",
        "from",
        "to",
        "path",
        "query",
        "left",
        "right",
        "tab",
        "folder",
        "format",
        "mode",
        "action",
        "q",
    ),
)


@dataclass
class Target:
    """A route and what fits it: fields of its form, or a body; texts in braces stand for ids of an estate."""

    route: Route
    fields: list[tuple[str, str]] = field(default_factory=list)
    schema: Mapping[str, Any] | None = None
    arguments: list[str] = field(default_factory=list)


@dataclass
class Mutant:
    """One request, ready to be sent."""

    target: Target
    path: str
    options: dict[str, Any]

    def __str__(self) -> str:
        shown = {name: repr(value)[:300] for name, value in self.options.items()}
        return f"{self.target.route} as {self.path[:200]} with {shown}"


def find_targets(app: Flask, ids: Mapping[str, str], get: Callable[[str], str]) -> list[Target]:
    """Every route; those that a page of ``get`` has a form for with its fields, those of the API with their schema."""
    every = list(routes(app))
    forms: dict[tuple[str, str], list[tuple[str, str]]] = {}
    adapter = app.url_map.bind("localhost")
    names = {value: name for name, value in ids.items()}
    for route in every:
        if route.method != "GET" or route.is_api or route.endpoint == "styleguide.index":  # its forms lead nowhere
            continue
        path = route.path(ids)
        for form in read_page(f"http://localhost{path}", 200, get(path)).forms:
            if form.method == "dialog":
                continue
            rule, _values = adapter.match(urlsplit(form.action).path, method=form.method.upper(), return_rule=True)
            fields = [(name, "{" + names[value] + "}" if value in names else value) for name, value in form.fields.items()]
            fields += [(name, "1") for name in form.buttons]
            known = forms.setdefault((form.method.upper(), rule.rule), [])
            known += [pair for pair in fields if pair[0] not in {name for name, _value in known}]
    document = app.test_client().get("/api/v1/openapi.json").get_json()
    targets = []
    for route in every:
        operation = document["paths"].get(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule.rule), {}).get(route.method.lower(), {})
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        arguments = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
        target = Target(route, forms.get((route.method, route.rule.rule), []), schema, arguments)
        if schema is not None:
            target.schema = {**schema, "components": document["components"]}
        targets.append(target)
    return targets


def make_sample(
    schema: Mapping[str, Any], root: Mapping[str, Any], ids: Mapping[str, str], chance: random.Random, depth: int = 0
) -> Any:
    """A value that more or less fits a schema of the document."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return make_sample(root["components"]["schemas"][name], root, ids, chance, depth + 1)
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return make_sample(chance.choice(schema[word]), root, ids, chance, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return chance.choice(schema["enum"])
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            wanted = set(schema.get("required", ()))
            made = {}
            for name, inner in properties.items():
                if name in wanted or (depth < 6 and chance.random() < 0.6):
                    parameter = re.sub(r"Id$", "_id", name)
                    made[name] = ids.get(parameter) or make_sample(inner, root, ids, chance, depth + 1)
            return made
        case "array":
            count = 0 if depth > 6 else chance.randrange(3)
            return [make_sample(schema.get("items", {}), root, ids, chance, depth + 1) for _ in range(count)]
        case "integer" | "number":
            return chance.choice((0, 1, 5, 100))
        case "boolean":
            return chance.random() < 0.5
        case "string":
            return chance.choice(("x", "Shop", "GET", "https://example.com/a?b=c", "read", "{{SHOP}}", "2026-01-01T00:00:00Z"))
    return None


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value below."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield (*place, key)
        yield from places(inner, (*place, key))


def make_mutant(target: Target, targets: list[Target], ids: Mapping[str, str], chance: random.Random) -> Mutant:
    """One mutated request to ``target``."""
    path = target.route.path(ids)
    if target.route.parameters and chance.random() < 0.06:
        spoilt = {
            **ids,
            chance.choice(target.route.parameters): quote(chance.choice(TEXTS)[:500], safe="", errors="surrogatepass"),
        }
        path = target.route.path(spoilt)
    options: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if target.route.method in ("GET", "DELETE") or chance.random() < 0.1:
        path += f"?{_query(target, chance)}"
    if target.route.method not in ("GET", "DELETE"):
        options |= _json_body(target, ids, chance) if target.route.is_api else _form_body(target, targets, ids, chance)
    if chance.random() < 0.3:
        headers["HX-Request"] = "true"
    if chance.random() < 0.15:
        headers[chance.choice(HEADERS)] = _header_value(chance)
    if headers:
        options["headers"] = headers
    return Mutant(target, path, options)


def _header_value(chance: random.Random) -> str:
    """What a server passes on in a header: neither line ends nor what is no Latin-1."""
    return re.sub(r"[\r\n\0]", "", chance.choice(TEXTS)[:2000].encode("utf-8", "replace").decode("latin-1"))


def _encode(text: str) -> str:
    return quote_plus(text, errors="surrogatepass")


def _query(target: Target, chance: random.Random) -> str:
    names = [*target.arguments, *(name for name, _value in target.fields)] or list(ARGUMENTS)
    pairs = []
    for _ in range(chance.randrange(1, 4)):
        name = chance.choice(names if chance.random() < 0.8 else ARGUMENTS)
        pairs.append(f"{_encode(name)}={_encode(chance.choice(TEXTS)[:3000])}")
    return "&".join(pairs) + chance.choice(("", "", "", "&%ff=%fe", "&=&&", "&a[]=1&a[b]=2"))


def _form_body(target: Target, targets: list[Target], ids: Mapping[str, str], chance: random.Random) -> dict[str, Any]:
    kind = chance.random()
    if kind < 0.04:
        return {"data": chance.choice(DOCUMENTS), "content_type": chance.choice(TYPES)}
    if kind < 0.1:
        return {"data": chance.choice(PARTS), "content_type": "multipart/form-data; boundary=x"}
    fields = target.fields
    if not fields or chance.random() < 0.05:
        fields = chance.choice([other.fields for other in targets if other.fields])
    pairs = [(name, value.format_map(ids) if value[1:-1] in ids else value) for name, value in fields]
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        _mutate_pairs(pairs, chance)
    if chance.random() < 0.15:
        return _as_multipart(pairs, chance)
    body = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in pairs).encode()
    if chance.random() < 0.05:
        body = body.replace(b"=", b"=%ff%c0%80", 1)
    return {"data": body, "content_type": chance.choice(TYPES) if chance.random() < 0.04 else "application/x-www-form-urlencoded"}


def _mutate_pairs(pairs: list[tuple[str, str]], chance: random.Random) -> None:
    place = chance.randrange(len(pairs)) if pairs else 0
    match chance.randrange(8) if pairs else 7:
        case 0:
            del pairs[place]
        case 1:
            pairs.insert(place, (pairs[place][0], chance.choice(TEXTS)))
        case 2:
            pairs[place] = (pairs[place][0] + chance.choice(("[]", ".0", ".x.y", "\0", " ")), pairs[place][1])
        case 3 | 4 | 5 | 6:
            pairs[place] = (pairs[place][0], chance.choice(TEXTS))
        case 7:
            pairs.append((chance.choice((*ARGUMENTS, *TEXTS[:12])), chance.choice(TEXTS)))


def _as_multipart(pairs: list[tuple[str, str]], chance: random.Random) -> dict[str, Any]:
    lines = []
    for name, value in pairs:
        plain = re.sub(r'["\r\n]', "_", name).encode("utf-8", "replace")
        file = b'; filename="a%s"' % chance.choice((b".json", b".png", b"\xff", b"")) if chance.random() < 0.3 else b""
        content = chance.choice(DOCUMENTS) if file else value.encode("utf-8", "surrogatepass")
        lines.append(b'--mutant\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (plain, file, content))
    return {"data": b"".join(lines) + b"--mutant--\r\n", "content_type": "multipart/form-data; boundary=mutant"}


def _json_body(target: Target, ids: Mapping[str, str], chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.06:
        content_type = chance.choice(TYPES) if chance.random() < 0.4 else "application/json"
        return {"data": chance.choice(DOCUMENTS), "content_type": content_type}
    schema = target.schema or {}
    body = make_sample(schema, schema, ids, chance) if schema else {}
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        _mutate_json(body, chance)
    text = json.dumps(body, ensure_ascii=chance.random() < 0.9).encode("utf-8", "surrogatepass")
    if chance.random() < 0.05:
        text = text[: chance.randrange(len(text) + 1)]
    elif chance.random() < 0.05:
        text = text.replace(b"{", b'{"name":1,"name":[],', 1)
    return {"data": text, "content_type": "application/json"}


def _mutate_json(body: Any, chance: random.Random) -> None:
    ways = list(places(body))
    strange = copy.deepcopy(chance.choice(VALUES)) if chance.random() < 0.5 else chance.choice(TEXTS)
    if not ways:
        if isinstance(body, dict):
            body[chance.choice(("name", "id", "user_id", "role"))] = strange
        return
    place = chance.choice(ways)
    holder = body
    for key in place[:-1]:
        holder = holder[key]
    match chance.randrange(5):
        case 0 if isinstance(holder, dict):
            del holder[place[-1]]
        case 1 if isinstance(holder, dict):
            holder[chance.choice(TEXTS)] = strange
        case 2 if isinstance(holder, list):
            holder.extend(copy.deepcopy(holder[0]) for _ in range(300))
        case _:
            holder[place[-1]] = strange
