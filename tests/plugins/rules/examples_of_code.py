"""Failures of Code nodes whose repair rewrites more than a name: libraries, syntax, separators, and what items carry along."""

from __future__ import annotations

from typing import Any

from hub.plugin_api import Evidence
from tests.plugins.rules.examples import CODE, Hit, Miss
from tests.plugins.rules.failures import code, failure, fields, node

UNDEFINED_TRIM = "Cannot read properties of undefined (reading 'trim') [line 1]"
SPLIT = "return $input.all().map(({ json }) => ({ json: { size: json.line.split(';')[1].trim() } }));"


def unparsed(source: str, message: str = "Unexpected token") -> Evidence:
    return code(source, message, line=None, description="SyntaxError")


def blocked(source: str, module: str, **item: Any) -> Evidence:
    return code(source, f"Module '{module}' is disallowed [line 1]", items=[item])


def lines(*texts: str) -> Evidence:
    return code(SPLIT, UNDEFINED_TRIM, items=[{"line": text} for text in texts])


def made_text(name: str, text: str, kind: str = "string") -> Evidence:
    """A list that an Edit Fields node made a text, read as objects."""
    parameters = fields(**{name: "={{ $json.body.tags }}"})
    parameters["assignments"]["assignments"][0]["type"] = kind
    return code(
        "return $input.all().map(({ json }) => ({ json: { tag: json.label.toUpperCase() } }));",
        "Cannot read properties of undefined (reading 'toUpperCase') [line 1]",
        before=[(node("Photo", "set", 3.4, **parameters), [{name: text}])],
    )


def parsing(*texts: str) -> Evidence:
    """Texts that are parsed one after the other, at least one of which is no JSON."""
    return code(
        PARSING.replace("TEXT", "json.text"),
        "Unexpected token 'x', \"x\" is not valid JSON [line 1]",
        items=[{"text": text} for text in texts],
        description="SyntaxError",
    )


PARSING = "return $input.all().map(({ json }) => ({ json: JSON.parse(TEXT) }));"


def unasked(**item: Any) -> Evidence:
    """A chain that finds no question in its input."""
    return failure("chainLlm", "No prompt specified", {}, items=[item], version=1.5)


def misspelt(name: str, other: str) -> Evidence:
    """A model that its service does not know, beside a node with another one."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    return failure("lmChatOpenAi", message, {"model": name}, before=[(node("Other", "lmChatOpenAi", model=other), [{}])])


HITS: tuple[Hit, ...] = (
    Hit("model-unknown", lambda: misspelt("gpt-4o-minni", other="gpt-4o-mini"), ("parameters", "model"), "gpt-4o-mini"),
    Hit(
        "expression-conversion",
        lambda: failure(
            "executeWorkflow",
            "Invalid input for 'pieces' [item 0]",
            {"workflowInputs": {"value": {"pieces": "={{ $json.pieces }} pcs"}}},
            description="'pieces' expects a number but we got '12 pcs'",
            items=[{"pieces": 12}],
        ),
        ("parameters", "workflowInputs", "value", "pieces"),
        "={{ $json.pieces }}",
    ),
    Hit(
        "url-invalid",
        lambda: failure(
            "httpRequest",
            'Invalid URL: shop.example/a. URL must start with "http" or "https".',
            {"url": "={{ $json.host }}/a"},
            before=[(node("Settings", "set", 3.4, **fields(host="shop.example")), [{"host": "shop.example"}])],
        ),
        ("parameters", "assignments", "assignments", 0, "value"),
        "https://shop.example",
        "Settings",
    ),
    Hit(
        "json-parse",
        lambda: parsing('Sure: {"a": 1}. Anything else?'),
        CODE,
        PARSING.replace("TEXT", r"String(json.text).replace(/^[^[{]*(?=[[{])|[^\]}]*$/g, '')"),
    ),
    Hit("json-parse", lambda: parsing("{'a': 'b'}"), CODE, PARSING.replace("TEXT", r"String(json.text).replaceAll('\'', '\"')")),
    Hit("json-parse", lambda: parsing("", '{"a": 1}'), CODE, PARSING.replace("TEXT", "json.text || '{}'")),
    # Nothing says what an empty text is, and an apostrophe is no quote.
    Hit("json-parse", lambda: parsing(""), None),
    Hit("json-parse", lambda: parsing("{'a': 'it's'}"), None),
    Hit(
        "code-no-function",
        lambda: code(
            "return [{ json: { a: $json.tags.map((tag) => tag) } }];",
            "$json.tags.map is not a function [line 1]",
            items=[{"tags": "a, b"}],
        ),
        CODE,
        "return [{ json: { a: $json.tags.split(',').map((entry) => entry.trim()).map((tag) => tag) } }];",
    ),
    Hit("prompt-missing", lambda: unasked(question="When?", name="A"), ("parameters", "text"), "={{ $json.question }}"),
    Hit("prompt-missing", lambda: unasked(question="When?", message="hi"), None),
    Hit(
        "code-made-text",
        lambda: made_text("tags", '[{"label": "sea"}]'),
        ("parameters", "assignments", "assignments", 0, "type"),
        "array",
        "Photo",
    ),
    # Another text is no less a text, but seldom what was meant.
    Hit(
        "code-undefined",
        lambda: code("return [{ json: { e: $json.email.trim() } }];", UNDEFINED_TRIM, items=[{"phone": "123"}]),
        None,
    ),
    # Two kinds of entries in one list: guarding would give half of the items nothing.
    Hit(
        "code-undefined",
        lambda: code(
            "return $input.all().map(({ json }) => ({ json: { e: json.email.trim() } }));",
            UNDEFINED_TRIM,
            items=[{"id": 1, "total": 5}, {"id": 1, "email": "a@b.example"}],
        ),
        None,
    ),
    Hit("code-separator", lambda: lines("tea, 4", "oil, 1"), CODE, SPLIT.replace("';'", "','")),
    Hit("code-separator", lambda: lines("tea, 4| x", "oil, 1| y"), None),
    Hit(
        "code-syntax",
        lambda: unparsed(
            "const rate = 1;\nconst rate = $json.rate;\nreturn [{ json: { rate } }];",
            "Identifier 'rate' has already been declared",
        ),
        CODE,
        "let rate = 1;\nrate = $json.rate;\nreturn [{ json: { rate } }];",
    ),
    Hit(
        "code-syntax",
        lambda: unparsed("const total;\nreturn [];", "Missing initializer in const declaration"),
        CODE,
        "let total;\nreturn [];",
    ),
    Hit(
        "code-syntax",
        lambda: unparsed("if ($json.a and not $json.b) { $json.c = 'salt and pepper'; }\nreturn [];"),
        CODE,
        "if ($json.a && !$json.b) { $json.c = 'salt and pepper'; }\nreturn [];",
    ),
    Hit("code-syntax", lambda: unparsed("return [{ json: { a: 1; b: 2 } }];"), CODE, "return [{ json: { a: 1, b: 2 } }];"),
    Hit("code-syntax", lambda: unparsed("const a = [1, 2);\nreturn a;"), CODE, "const a = [1, 2];\nreturn a;"),
    Hit("code-syntax", lambda: unparsed("return items.map(item -> item);"), CODE, "return items.map(item => item);"),
    Hit(
        "code-syntax",
        lambda: unparsed(
            "$input.all().forEach((item) => { await work(item); });\nreturn [];", "await is only valid in async functions"
        ),
        CODE,
        "for (const item of $input.all()) { await work(item); }\nreturn [];",
    ),
    Hit(
        "module-not-allowed",
        lambda: blocked("const { DateTime } = require('luxon');\nreturn [{ json: { at: DateTime.now() } }];", "luxon"),
        CODE,
        "return [{ json: { at: DateTime.now() } }];",
    ),
    Hit(
        "module-not-allowed",
        lambda: blocked("const _ = require('lodash');\nreturn [{ json: { tags: _.uniq($json.tags) } }];", "lodash", tags=[1, 1]),
        CODE,
        "const _ = ({ uniq: (list) => [...new Set(list)] });\nreturn [{ json: { tags: _.uniq($json.tags) } }];",
    ),
    Hit("module-not-allowed", lambda: blocked("const _ = require('lodash');\nreturn _.chain([]).value();", "lodash"), None),
    Hit(
        "module-not-allowed",
        lambda: blocked(
            "const moment = require('moment');\n"
            "return [{ json: { due: moment($json.at).add(2, 'days').format('DD.MM.YYYY') } }];",
            "moment",
            at="2026-02-20",
        ),
        CODE,
        "return [{ json: { due: DateTime.fromISO($json.at).plus({ days: 2 }).toFormat('dd.MM.yyyy') } }];",
    ),
    # Where the text is no ISO date, Moment guesses and Luxon does not.
    Hit(
        "module-not-allowed",
        lambda: blocked(
            "const moment = require('moment');\nreturn [{ json: { due: moment($json.at).format('DD.MM.YYYY') } }];",
            "moment",
            at="March 4, 2026",
        ),
        None,
    ),
    # A field that one entry lacks and another has is optional, wherever else its name is found.
    Hit(
        "code-undefined",
        lambda: code(
            "return $input.all().map(({ json }) => ({ json: { boss: json.boss.name.trim() } }));",
            "Cannot read properties of null (reading 'name') [line 1]",
            items=[{"name": "A", "boss": {"name": "B"}}, {"name": "B", "boss": None}],
        ),
        CODE,
        "return $input.all().map(({ json }) => ({ json: { boss: json.boss?.name.trim() } }));",
    ),
    Hit(
        "code-undefined",
        lambda: code("return [{ json: { n: $json.tags.label.trim() } }];", UNDEFINED_TRIM, items=[{"tags": "[object Object]"}]),
        None,
    ),
    Hit(
        "code-undefined",
        lambda: code(
            "const { client } = $json;\nreturn [{ json: { n: client.name } }];",
            "Cannot read properties of undefined (reading 'name') [line 2]",
            line=2,
            items=[{"clinet": {"name": "x"}}],
        ),
        CODE,
        "const { clinet: client } = $json;\nreturn [{ json: { n: client.name } }];",
    ),
    # Code that looks at one item and at the others stays code for each item.
    Hit(
        "code-mode",
        lambda: code(
            "return { json: { best: $input.all()[0].json.n === $json.n } };",
            "Can't use .all() here [line 1]",
            each=True,
            before=[(node("Rows", "set", 3.4, **fields(n="1")), [{"n": 1}, {"n": 2}])],
        ),
        CODE,
        "return { json: { best: $('Rows').all()[0].json.n === $json.n } };",
    ),
)

MISSES: tuple[Miss, ...] = (
    Miss("model-unknown", lambda: misspelt("gpt-4o-minni", other="claude-sonnet")),
    Miss("prompt-missing", lambda: failure("chainLlm", "No output parser specified")),
    # A text that was a text from the beginning.
    Miss("code-made-text", lambda: made_text("tags", '[{"label": "sea"}]', kind="array")),
    # The text has the sign, but too few parts.
    Miss("code-separator", lambda: lines("tea;4", "oil")),
)
