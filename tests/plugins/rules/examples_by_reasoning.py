"""Failures whose repair is reasoned from the service's answer or from the data, in the many forms that both can have."""

from __future__ import annotations

from typing import Any

from hub.plugin_api import Evidence
from tests.plugins.rules.examples import BODY, CODE, URL, VALUE, Hit, Miss, condition, sent
from tests.plugins.rules.failures import code, failure, fields, http, pairs

NAME = (*BODY, "name")
BODY_VALUE = (*BODY, "value")
JSON_BODY = ("parameters", "jsonBody")


def refused(answer: Any, status: int = 422, body: dict[str, Any] | None = None, **parameters: Any) -> Evidence:
    """A POST that the service refuses."""
    return http((status, answer), method="POST", sendBody=True, body=body, **parameters)


def queried(answer: Any, **values: str) -> Evidence:
    return http((400, answer), sendQuery=True, queryParameters=pairs(**values), body={})


def typed(text: str, answer: Any, body: dict[str, Any]) -> Evidence:
    return refused(answer, 422, body, specifyBody="json", jsonBody=text)


def child(message: str, **error: Any) -> Evidence:
    return failure("executeWorkflow", message, **error)


HITS: tuple[Hit, ...] = (
    # One wrong name, in the formats of many services.
    Hit(
        "http-bad-request",
        lambda: sent({"detail": [{"loc": ["body", "email"], "msg": "Field required"}]}, 422, mail="x"),
        NAME,
        "email",
    ),
    Hit("http-bad-request", lambda: sent({"errors": {"first_name": ["is required."]}}, 422, firstName="x"), NAME, "first_name"),
    Hit(
        "http-bad-request",
        lambda: sent({"title": "no", "invalid-params": [{"name": "quantity", "reason": "missing"}]}, qty="1"),
        NAME,
        "quantity",
    ),
    Hit(
        "http-bad-request",
        lambda: sent({"errors": [{"source": {"pointer": "/data/attributes/title"}, "detail": "required"}]}, 422, titel="x"),
        NAME,
        "title",
    ),
    Hit("http-bad-request", lambda: sent({"customer_name": ["can't be blank"]}, 422, custmer_name="x"), NAME, "customer_name"),
    Hit(
        "http-bad-request",
        lambda: sent({"error": {"param": "currency", "message": "Missing required param: currency."}}, curency="eur"),
        NAME,
        "currency",
    ),
    Hit(
        "http-bad-request",
        lambda: sent({"detail": "Unknown field 'phone'. Known fields: name, phone_number, city"}, phone="1"),
        NAME,
        "phone_number",
    ),
    Hit("http-bad-request", lambda: sent("unknown property mail_addr; property email is required", mail_addr="x"), NAME, "email"),
    Hit(
        "http-bad-request",
        lambda: http((400, {"error": "Missing header: X-Api-Version"}), headerParameters=pairs(**{"X-Api-Vers": "2"})),
        ("parameters", "headerParameters", "parameters", 0, "name"),
        "X-Api-Version",
    ),
    # Values: one of a few, and bounds of pages.
    Hit(
        "http-bad-request",
        lambda: sent({"errors": [{"field": "state", "allowed": ["open", "closed"]}]}, state="opened"),
        BODY_VALUE,
        "open",
    ),
    Hit(
        "http-bad-request",
        lambda: queried({"message": "sort: expected 'asc' or 'desc'"}, sort="ascending"),
        ("parameters", "queryParameters", "parameters", 0, "value"),
        "asc",
    ),
    Hit(
        "http-bad-request",
        lambda: queried({"message": "limit must be at most 100"}, limit="500"),
        ("parameters", "queryParameters", "parameters", 0, "value"),
        "100",
    ),
    Hit(
        "http-bad-request",
        lambda: http((400, {"message": "limit must be at most 100"}), url="https://api.example/v1/things?limit=500"),
        URL,
        "https://api.example/v1/things?limit=100",
    ),
    Hit(
        "http-bad-request",
        lambda: typed(
            '={ "priority": "High", "t": "{{ $json.body.t }}" }',
            {"detail": "Invalid value for priority. Allowed values are low, high."},
            {"t": "x"},
        ),
        JSON_BODY,
        '={ "priority": "high", "t": "{{ $json.body.t }}" }',
    ),
    Hit(
        "http-bad-request",
        lambda: refused(
            {"message": "state must be one of: in_progress, done"},
            body={"s": "In progress"},
            bodyParameters=pairs(state="={{ $json.body.s }}"),
        ),
        BODY_VALUE,
        "={{ String($json.body.s).trim().toLowerCase().replace(/[\\s-]+/g, '_') }}",
    ),
    Hit(
        "http-bad-request",
        lambda: refused(
            {"message": "birthdate: invalid date, expected format YYYY-MM-DD"},
            body={"b": "14/03/1988"},
            bodyParameters=pairs(birthdate="={{ $json.body.b }}"),
        ),
        BODY_VALUE,
        "={{ DateTime.fromFormat(String($json.body.b), 'd/M/yyyy').toISODate() }}",
    ),
    # A change that would alter the meaning is not offered.
    Hit("http-bad-request", lambda: sent({"message": "amount must be at most 100"}, amount="500")),
    Hit("http-bad-request", lambda: sent({"message": "currency must be one of: usd, gbp"}, currency="eur")),
    Hit("http-bad-request", lambda: sent({"message": "email already exists"}, 409, email="a@b.example")),
    # Types.
    Hit(
        "http-rejected-type",
        lambda: typed('={ "zip": {{ $json.body.zip }} }', {"errors": {"zip": "must be a string"}}, {"zip": 12345}),
        JSON_BODY,
        '={ "zip": {{ JSON.stringify(String($json.body.zip)) }} }',
    ),
    Hit("http-rejected-type", lambda: sent({"message": "tags should be an array"}, tags="a,b"), BODY_VALUE, '={{ ["a", "b"] }}'),
    Hit(
        "http-content-type-refused",
        lambda: refused(
            {"message": "Content-Type must be application/json"}, 400, contentType="form-urlencoded", bodyParameters=pairs(a="1")
        ),
        ("parameters", "contentType"),
        "json",
    ),
    Hit(
        "http-method-refused",
        lambda: http((400, {"message": "Method GET not supported. Allowed: PUT"})),
        ("parameters", "method"),
        "PUT",
    ),
    Hit("http-rate-limited", lambda: http((403, {"message": "API rate limit exceeded"})), ("retryOnFail",), True),
    Hit(
        "http-rate-limited",
        lambda: http((429, {"message": "Quota exceeded for 'Read requests per minute per user'"})),
        ("retryOnFail",),
        True,
    ),
    Hit("http-quota", lambda: http((429, {"error": "Daily request limit reached. Resets at midnight UTC."}))),
    Hit("http-shut-down", lambda: http((503, {"message": "This service was permanently discontinued."}))),
    # References.
    Hit(
        "field-missing-in-request",
        lambda: http((404, {"message": "no"}), url="=https://a.example/u/{{ $json.body.userId }}", body={"user": {"id": 4}}),
        URL,
        "=https://a.example/u/{{ $json.body.user.id }}",
    ),
    Hit(
        "field-missing-in-request",
        lambda: http((404, {"message": "no"}), url="=https://a.example/u/{{ $json.body.users.id }}", body={"users": [{"id": 4}]}),
        URL,
        "=https://a.example/u/{{ $json.body.users[0].id }}",
    ),
    Hit(
        "field-missing-in-request",
        lambda: http((404, {"message": "no"}), url="=https://a.example/u/{{ $json.body.p.id }}", body={"p": '{"id": 4}'}),
        URL,
        "=https://a.example/u/{{ JSON.parse($json.body.p).id }}",
    ),
    Hit(
        "field-missing-in-request",
        lambda: http(
            (404, {"message": "no"}), url="=https://a.example/{{ $json.shop }}/{{ $json.id }}", body={"shop": "s", "id": 4}
        ),
        URL,
        "=https://a.example/{{ $json.body.shop }}/{{ $json.body.id }}",
    ),
    Hit(
        "field-missing",
        lambda: failure(
            "set",
            "toTitleCase can't be used on undefined value",
            fields(a="={{ $json.fullName.toTitleCase() }}"),
            items=[{"full_name": "x"}],
        ),
        VALUE,
        "={{ $json.full_name.toTitleCase() }}",
    ),
    Hit(
        "missing-prefix",
        lambda: failure(
            "dateTime", "Invalid date format", {"operation": "formatDate", "date": "{{ $json.at }}"}, items=[{"at": "2026-01-02"}]
        ),
        ("parameters", "date"),
        "={{ $json.at }}",
    ),
    # Expressions.
    Hit(
        "expression-function-type",
        lambda: failure(
            "set", 'round() is only callable on type "Number"', fields(a="={{ $json.n.round(1) }}"), items=[{"n": "3.46"}]
        ),
        VALUE,
        "={{ $json.n.toNumber().round(1) }}",
    ),
    Hit(
        "expression-function-type",
        lambda: failure(
            "set", 'round() is only callable on type "Number"', fields(a="={{ $json.n.round(1) }}"), items=[{"n": "much"}]
        ),
    ),
    Hit("expression-conversion", lambda: failure("set", "cannot convert to number", fields(a="={{ 'abc'.toNumber() }}"))),
    Hit(
        "expression-syntax",
        lambda: failure("set", "invalid syntax", fields(a="={{ 'it's ' + $json.n }}")),
        VALUE,
        "={{ 'it\\'s ' + $json.n }}",
    ),
    Hit(
        "expression-syntax",
        lambda: failure("set", "invalid syntax", fields(a="={{ if ($json.n > 1) { 'many' } else { 'one' } }}")),
        VALUE,
        "={{ $json.n > 1 ? 'many' : 'one' }}",
    ),
    Hit(
        "condition-type",
        lambda: failure(
            "if",
            "Wrong type: '1,234.50' is a string but was expecting a number [condition 0, item 0]",
            condition("={{ $json.n }}", "number"),
            items=[{"n": "1,234.50"}],
            version=2.2,
        ),
        ("parameters", "conditions", "conditions", 0, "leftValue"),
        "={{ Number(String($json.n).replace(/[^\\d.-]/g, '')) }}",
    ),
    # Code.
    Hit(
        "code-constant",
        lambda: code(
            "const r = 1;\nr = 2;\nreturn [{ json: { r } }];",
            "Assignment to constant variable. [line 2]",
            line=2,
            description="TypeError",
        ),
        CODE,
        "let r = 1;\nr = 2;\nreturn [{ json: { r } }];",
    ),
    Hit(
        "code-unmade",
        lambda: code(
            "const by = {};\nby[$json.city].push(1);\nreturn [{ json: by }];",
            "Cannot read properties of undefined (reading 'push') [line 2]",
            line=2,
            items=[{"city": "Rome"}],
        ),
        CODE,
        "const by = {};\n(by[$json.city] ??= []).push(1);\nreturn [{ json: by }];",
    ),
    Hit(
        "code-no-object",
        lambda: code(
            "return [{ json: { n: Object.keys($json.o).length } }];",
            "Cannot convert undefined or null to object [line 1]",
            body={"o": {"a": 1}},
        ),
        CODE,
        "return [{ json: { n: Object.keys($json.body.o).length } }];",
    ),
    Hit("code-range", lambda: code("return [{ json: { s: 'x'.repeat(-1) } }];", "Invalid count value: -1 [line 1]")),
    Hit("code-date", lambda: code("return [{ json: { d: new Date('x').toISOString() } }];", "Invalid time value [line 1]")),
    Hit(
        "code-no-function",
        lambda: code(
            "return [{ json: { n: $json.n.toFixed(1) } }];", "$json.n.toFixed is not a function [line 1]", items=[{"n": "3.5"}]
        ),
        CODE,
        "return [{ json: { n: Number($json.n).toFixed(1) } }];",
    ),
    Hit(
        "code-no-variable",
        lambda: code("return [{ json: { n: city } }];", "city is not defined [line 1]", body={"city": "Rome"}),
        CODE,
        "return [{ json: { n: $json.body.city } }];",
    ),
    Hit(
        "code-shape",
        lambda: code("return $input.all().map((i) => { i.json.a = 1; });", "Code doesn't return items properly"),
        CODE,
        "return $input.all().map((i) => { i.json.a = 1; return i; });",
    ),
    Hit(
        "code-shape",
        lambda: code("for (const i of $input.all()) { i.json.a = 1; }", "Code doesn't return items properly"),
        CODE,
        "for (const i of $input.all()) { i.json.a = 1; }\nreturn $input.all();",
    ),
    Hit(
        "code-shape",
        lambda: code(
            "return { json: $json.body.rows };", "A 'json' property isn't an object [item 0]", body={"rows": [{"a": 1}]}
        ),
        CODE,
        "return ($json.body.rows).map((entry) => ({ json: entry }));",
    ),
    Hit(
        "code-shape",
        lambda: code(
            "return [{ json: $json.body.rows }];", "A 'json' property isn't an object [item 0]", body={"rows": [{"a": 1}]}
        ),
        CODE,
        "return ($json.body.rows).map((entry) => ({ json: entry }));",
    ),
    Hit(
        "expression-syntax",
        lambda: failure("set", "invalid syntax", fields(a="={{ {{ $json.n }} }}")),
        VALUE,
        "={{ $json.n }}",
    ),
    Hit(
        "sort-code",
        lambda: failure(
            "sort",
            "Sort code doesn't return. Please add a 'return' statement to your code",
            {"type": "code", "code": "a.json.n - b.json.n;"},
        ),
        ("parameters", "code"),
        "return a.json.n - b.json.n;",
    ),
    Hit(
        "code-throws-own-words",
        lambda: code("const words = 'closed today';\nthrow new Error(words);", "closed today [line 2]", line=3),
    ),
    Hit("child-threw", lambda: child("Purchase exceeds the limit [line 2]")),
    Hit(
        "child-undefined", lambda: child("Cannot read properties of undefined (reading 'name') [line 1]", description="TypeError")
    ),
    Hit("http-unauthorized", lambda: child("Authorization failed - please check your credentials")),
    # Services with words of their own.
    Hit(
        "telegram-markup",
        lambda: failure(
            "telegram",
            "Bad request - please check your parameters",
            {"text": "=New: {{ $json.name }}"},
            description="Bad Request: can't parse entities",
            items=[{"name": "a_b"}],
        ),
        ("parameters", "additionalFields", "parse_mode"),
        "HTML",
    ),
    Hit("telegram-markup", lambda: failure("telegram", "Bad request", {"text": "a < b_c"}, description="can't parse entities")),
    Hit(
        "model-dialect",
        lambda: failure(
            "agent", "Cannot read properties of undefined (reading 'content')", description="Original error: TypeError"
        ),
    ),
    Hit(
        "graphql",
        lambda: failure(
            "graphql", 'Cannot query field "nam" on type "Shop". Did you mean "name"?', {"query": "{ shop { nam } }"}
        ),
        ("parameters", "query"),
        "{ shop { name } }",
    ),
)

MISSES: tuple[Miss, ...] = (
    Miss(
        "http-content-type-refused",
        lambda: refused({"message": "the content type of the parcel is unknown"}, 400, bodyParameters=pairs(a="1")),
    ),
    Miss("http-method-refused", lambda: http((400, {"message": "payment method not supported"}))),
    Miss("http-shut-down", lambda: http((503, {"message": "shutting down for maintenance, back in a minute"}))),
    Miss("expression-function-type", lambda: failure("set", "round() is not a function")),
    Miss("expression-conversion", lambda: failure("set", "it cannot be converted")),
    Miss("code-constant", lambda: failure("set", "Assignment to constant variable.")),
    Miss(
        "code-unmade",
        lambda: code(
            "$json.list.push(1);\nreturn [];", "Cannot read properties of undefined (reading 'push') [line 1]", body={"list": [1]}
        ),
    ),
    Miss("code-no-object", lambda: failure("set", "Cannot convert undefined or null to object")),
    Miss("code-range", lambda: code("throw new Error('Invalid count')", "Invalid count [line 1]")),
    Miss("code-date", lambda: failure("dateTime", "Invalid time value")),
    Miss("sort-code", lambda: code("return;", "Code doesn't return items properly")),
    Miss(
        "code-throws-own-words",
        lambda: code(
            "if (!$json.a) throw new Error('no a');\nreturn $json.b.c;",
            "Cannot read properties of undefined (reading 'c') [line 2]",
            line=2,
            description="TypeError",
        ),
    ),
    Miss("child-threw", lambda: child("Cannot read properties of undefined (reading 'name') [line 1]", description="TypeError")),
    Miss("child-undefined", lambda: child("Purchase exceeds the limit [line 2]")),
    Miss("telegram-markup", lambda: failure("telegram", "Bad request: chat not found", {"text": "a_b"})),
    Miss("model-dialect", lambda: failure("agent", "Cannot read properties of undefined (reading 'content')")),
)
