"""Slips whose error shows far from their cause, each with the near misses in which the data do not tell what was meant."""

from __future__ import annotations

from typing import Any

from hub.plugin_api import Evidence
from tests.plugins.rules.examples import CODE, VALUE, Hit, Miss
from tests.plugins.rules.failures import code, failure, fields, node

WORKFLOW_JSON = ("parameters", "workflowJson")
TRIM = "Cannot read properties of null (reading 'trim') [line 1]"
EACH = "return { json: { label: $json.label.trim() } };"
MAPPED = "return $input.all().map(({ json }) => ({ json: { label: json.label.trim() } }));"


def emptied(expression: str, given: list[dict[str, Any]], put: list[Any], source: str = MAPPED, **options: Any) -> Evidence:
    """Code that reads a field which an Edit Fields node left empty."""
    maker = node("Make", "set", 3.4, **fields(label=expression))
    before = [(node("Rows", "splitOut"), given), (maker, [{"label": value} for value in put])]
    return code(source, TRIM, before=before, **options)


def made(expression: str, *given: dict[str, Any]) -> Evidence:
    return emptied(expression, list(given), [None] * len(given))


TOTAL = "return $input.all().map(({ json }) => ({ json: { t: json.total.toFixed(2) } }));"


def off(expression: str, source: str = TOTAL) -> Evidence:
    """Code that reads a field which a disabled node would have made."""
    maker = {**node("Total", "set", 3.4, **fields(total=expression)), "disabled": True}
    rows = [{"net": 10, "tax": 2}, {"net": 5, "tax": 1}]
    message = "Cannot read properties of undefined (reading 'toFixed') [line 1]"
    return code(source, message, before=[(node("Rows", "splitOut"), rows), (maker, rows)])


def shifted(field: str, expression: str = "={{ $('Hook').first().json.body.seats[$itemIndex + 1] }}") -> Evidence:
    maker = node("Make", "set", 3.4, **fields(**{field: expression}))
    given = [{"name": "A"}, {"name": "B"}]
    return code(
        f"return {{ json: {{ label: $json.{field}.trim() }} }};",
        TRIM,
        each=True,
        context={"itemIndex": None},
        body={"seats": ["12a", "12b"]},
        before=[(node("Rows", "splitOut"), given), (maker, [{field: "12b"}, {field: None}])],
    )


def matched(source: str, *texts: str) -> Evidence:
    message = "Cannot read properties of null (reading '1') [line 1]"
    return code(source, message, each=True, items=[{"text": text} for text in texts])


def dated(source: str, *texts: str) -> Evidence:
    return code(source, "Invalid time value [line 1]", items=[{"day": text} for text in texts])


def read(source: str, member: str = "map", **options: Any) -> Evidence:
    return code(source, f"Cannot read properties of undefined (reading '{member}') [line 1]", items=[{"name": "A"}], **options)


def inline(text: str, kind: str = "executeWorkflow") -> Evidence:
    message = "Expected double-quoted property name in JSON at position 9"
    return failure(kind, message, {"source": "parameter", "workflowJson": text}, items=[{}])


def branches(access: str = "first()", order: str = "v0", height: int = 0, kind: str = "set") -> Evidence:
    """Hook -> Upper -> Left (above) and Hook -> Step, which reads Left."""
    evidence = failure(
        "set",
        "Node 'Left' hasn't been executed",
        fields(room=f"={{{{ $('Left').{access}.json.room }}}}"),
        before=[(node("Upper", kind), [{"room": 1}]), (node("Left", "set"), None)],
        context={"type": "no_execution_data", "nodeCause": "Left"},
    )
    places = {"Upper": [200, height], "Left": [400, height], "Step": [200, 100]}
    nodes = [{**entry, "position": places.get(entry["name"], [0, 0])} for entry in evidence.workflow["nodes"]]

    def link(name: str) -> dict[str, Any]:
        return {"node": name, "type": "main", "index": 0}

    connections = {"Hook": {"main": [[link("Upper"), link("Step")]]}, "Upper": {"main": [[link("Left")]]}}
    flow = {**evidence.workflow, "nodes": nodes, "connections": connections, "settings": {"executionOrder": order}}
    return evidence.model_copy(update={"workflow": flow})


def lent(*texts: str, version: float = 1) -> Evidence:
    message = 'Unrecognized date input. Please specify a format in the "From Format" field.'
    parameters = {"action": "calculate", "value": "={{ $json.lent }}", "duration": 14, "options": {}}
    return failure("dateTime", message, parameters, items=[{"lent": text} for text in texts], version=version)


def responded(*files: str) -> Evidence:
    message = "The item has no binary field 'data' [item 0]"
    parameters = {"respondWith": "binary", "responseDataSource": "set", "inputFieldName": "data"}
    return failure("respondToWebhook", message, parameters, items=[{}], binary=files)


def hashed(value: str, received: str = "7") -> Evidence:
    message = f'The "data" argument must be of type string or an instance of Buffer. Received type number ({received})'
    return failure("crypto", message, {"value": value}, items=[{"no": 7, "name": "A"}])


REQUEST = (
    "const answer = this.helpers.httpRequest({ url: 'https://api.example/v1' });\n"
    "return answer.rows.map((row) => ({ json: row }));"
)
QUERY = "={{ $jmespath('rooms[?free].no', $json) }}"
DATES = "return $input.all().map(({ json }) => ({ json: { d: new Date(json.day).toISOString() } }));"
READ_DATES = DATES.replace("new Date(json.day)", "DateTime.fromFormat(json.day, 'd/M/yyyy', { zone: 'utc' }).toJSDate()")
MATCH = "return { json: { n: $json.text.match(/No (\\d+)/)[1] } };"

HITS: tuple[Hit, ...] = (
    # Names in other spellings of the same Arabic word, or with a dot in them.
    Hit(
        "made-empty-before", lambda: made("={{ $json['المدينه'] }}", {"المدينة": "حلب"}), VALUE, "={{ $json['المدينة'] }}", "Make"
    ),
    Hit("made-empty-before", lambda: made("={{ $json['إسم'] }}", {"اســم": "سارة"}), VALUE, "={{ $json['اســم'] }}", "Make"),
    Hit("made-empty-before", lambda: made("={{ $json['هاتف 1'] }}", {"هاتف ١": "x"}), VALUE, "={{ $json['هاتف ١'] }}", "Make"),
    Hit(
        "made-empty-before",
        lambda: made("={{ $json.ship.city }}", {"ship.city": "Oslo"}),
        VALUE,
        "={{ $json['ship.city'] }}",
        "Make",
    ),
    Hit(
        "made-empty-before",
        lambda: made("={{ $json.tags.map((tag) => tag.title).join() }}", {"tags": {"count": 1, "edges": [{"title": "x"}]}}),
        VALUE,
        "={{ $json.tags.edges.map((tag) => tag.title).join() }}",
        "Make",
    ),
    Hit(
        "made-empty-before",
        lambda: made(
            "={{ $json.to.toDateTime().diff($json.from.toDateTime()).inHours() }}", {"from": "2026-01-01", "to": "2026-01-02"}
        ),
        VALUE,
        "={{ $json.to.toDateTime().diff($json.from.toDateTime()).as('hours') }}",
        "Make",
    ),
    Hit(
        "made-empty-before",
        lambda: made("={{ $input.first.json.name }}", {"name": "A"}),
        VALUE,
        "={{ $input.first().json.name }}",
        "Make",
    ),
    Hit(
        "made-empty-before",
        lambda: shifted("label"),
        VALUE,
        "={{ $('Hook').first().json.body.seats[$itemIndex] }}",
        "Make",
    ),
    Hit(
        "maker-switched-off",
        lambda: off("={{ $json.net + $json.tax }}"),
        CODE,
        TOTAL.replace("json.total", "(json.net + json.tax)"),
    ),
    Hit(
        "input-not-called",
        lambda: read("return $input.items.map((item) => item);"),
        CODE,
        "return $input.all().map((item) => item);",
    ),
    Hit(
        "input-not-called",
        lambda: read("return [{ json: { n: $('Hook').first.json.name } }];", "name"),
        CODE,
        "return [{ json: { n: $('Hook').first().json.name } }];",
    ),
    Hit(
        "query-arguments",
        lambda: failure("set", "expected two arguments (Object, string) for this function", fields(a=QUERY)),
        VALUE,
        "={{ $jmespath($json, 'rooms[?free].no') }}",
    ),
    Hit(
        "duration-unit",
        lambda: code("return [{ json: { n: end.diff(start).asDays() } }];", "end.diff(...).asDays is not a function [line 1]"),
        CODE,
        "return [{ json: { n: end.diff(start).as('days') } }];",
    ),
    Hit("answer-not-awaited", lambda: read(REQUEST), CODE, REQUEST.replace("= this", "= await this")),
    Hit(
        "answer-not-awaited",
        lambda: read("return this.helpers.httpRequest({ url: 'https://api.example/v1' }).rows.map((row) => ({ json: row }));"),
        CODE,
        "return (await this.helpers.httpRequest({ url: 'https://api.example/v1' })).rows.map((row) => ({ json: row }));",
    ),
    Hit("pattern-minds-case", lambda: matched(MATCH, "No 7", "NO 8"), CODE, MATCH.replace("/)", "/i)")),
    Hit("number-for-text", lambda: hashed("={{ $json.no }}"), ("parameters", "value"), "={{ String($json.no) }}"),
    Hit("execution-order", branches, ("parameters",), fields(room="={{ $('Left').first().json.room }}")),
    Hit(
        "inline-workflow",
        lambda: inline('{ "nodes": [{ "name": "a,}" },], "connections": {}, }'),
        WORKFLOW_JSON,
        '{ "nodes": [{ "name": "a,}" }], "connections": {} }',
    ),
    Hit("code-date", lambda: dated(DATES, "25/03/2026", "04/05/2026"), CODE, READ_DATES),
    Hit(
        "code-undefined",
        lambda: code(
            "return [{ json: { c: $json.ship.city.trim() } }];",
            "Cannot read properties of undefined (reading 'city') [line 1]",
            items=[{"ship.city": "Oslo"}],
        ),
        CODE,
        "return [{ json: { c: $json['ship.city'].trim() } }];",
    ),
    Hit("invalid-date", lambda: lent("31.01.2026", "05.02.2026"), ("parameters", "options", "fromFormat"), "DD.MM.YYYY"),
    Hit("invalid-date", lambda: lent("02/01/2026", "05/02/2026")),
    Hit("missing-binary", lambda: responded("letter"), ("parameters", "inputFieldName"), "letter"),
    Hit("missing-binary", lambda: responded("letter", "invoice")),
    # Nobody can tell day and month; the second is of another form; the server's time zone decides on the day.
    Hit("code-date", lambda: dated(DATES, "03/04/2026", "04/05/2026")),
    Hit("code-date", lambda: dated(DATES, "25/03/2026", "25.03.2026")),
    Hit("code-date", lambda: dated(DATES, "25/03/2026", "03/25/2026")),
    Hit("code-date", lambda: dated(DATES + "\n// json.day.getDate()", "25/03/2026")),
)

PAGED = "return $input.all().map(({ json }) => ({ json: { t: json.lines.map((line) => line.title).join() } }));"


def paged(**lines: Any) -> Evidence:
    return code(PAGED, "json.lines.map is not a function [line 1]", items=[{"lines": lines}])


HITS += (
    Hit("code-no-function", lambda: paged(nodes=[{"title": "A"}]), CODE, PAGED.replace("lines.map", "lines.nodes.map")),
    # The only list, but its entries have no such field: a list of nothing would look like a success.
    Hit("code-no-function", lambda: paged(edges=[{"node": {"title": "A"}}])),
    Hit(
        "made-empty-before",
        lambda: made("={{ $json.tags.map((tag) => tag.title).join() }}", {"tags": {"edges": [{"node": {"title": "x"}}]}}),
        VALUE,
        "={{ $json.tags.edges.map((tag) => tag.node.title).join() }}",
        "Make",
    ),
)

MISSES: tuple[Miss, ...] = (
    Miss(
        "maker-switched-off",
        lambda: off("={{ $json.net }}", "const j = $input.first().json;\nif (!j.a) j.total = j.b;\n" + TOTAL),
    ),
    Miss("made-empty-before", lambda: made("={{ $json['هاتف'] }}", {"هاتف المنزل": "1", "هاتف العمل": "2"})),
    # Some items have the field: then it is missing, not misspelt.
    Miss("made-empty-before", lambda: emptied("={{ $json.name }}", [{"name": "A"}, {"name": None}], ["A", None])),
    Miss("made-empty-before", lambda: made("={{ $json.tags.map((tag) => tag.name) }}", {"tags": {"edges": [{"title": "x"}]}})),
    Miss(
        "made-empty-before",
        lambda: made("={{ $json.tags.map((tag) => tag.a) }}", {"tags": {"one": [{"a": 1}], "two": [{"a": 2}]}}),
    ),
    # The next one of the same list, or called so, is what was meant; the last item has none.
    Miss("made-empty-before", lambda: shifted("label", "={{ $('Rows').all()[$itemIndex + 1].json.name }}")),
    Miss("made-empty-before", lambda: shifted("nextSeat")),
    Miss("maker-switched-off", lambda: off("={{ $json.net + $json.vat }}")),
    Miss("maker-switched-off", lambda: off("={{ $('Rows').item.json.net }}")),
    Miss("maker-switched-off", lambda: off("={{ $json.net }} EUR")),
    Miss("input-not-called", lambda: read("return $input.all().rows.map((item) => item);")),
    Miss("input-not-called", lambda: read("return $input.items.map((item) => item);", each=True)),
    Miss(
        "query-arguments",
        lambda: failure("set", "expected two arguments (Object, string) for this function", fields(a="={{ $jmespath($json) }}")),
    ),
    Miss("duration-unit", lambda: code("return [{ json: { n: order.asDays() } }];", "order.asDays is not a function [line 1]")),
    Miss("answer-not-awaited", lambda: read(REQUEST.replace("= this", "= await this"))),
    Miss("answer-not-awaited", lambda: read(REQUEST.replace("const answer = ", "const ask = () => ").replace("answer", "ask"))),
    Miss(
        "answer-not-awaited",
        lambda: read(
            "const one = this.helpers.httpRequest({});\nconst [first] = await Promise.all([one]);\n"
            "return first.rows.map((r) => r);"
        ),
    ),
    Miss("pattern-minds-case", lambda: matched(MATCH, "No 7", "none")),
    Miss("pattern-minds-case", lambda: matched(MATCH, "No 7", "NO 8 and no 9")),
    Miss("number-for-text", lambda: hashed("={{ $json.no }}", "8")),
    Miss("number-for-text", lambda: hashed("={{ $json.name }}")),
    Miss("execution-order", lambda: branches(order="v1")),
    Miss("execution-order", lambda: branches(access="item")),
    Miss("execution-order", lambda: branches(height=300)),
    Miss("execution-order", lambda: branches(kind="if")),
    Miss("inline-workflow", lambda: inline('{ "nodes": [], "connections": {} }')),
)
