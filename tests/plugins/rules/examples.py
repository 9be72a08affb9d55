"""For each rule failures that it must recognise, and near misses that it must leave alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hub.plugin_api import Evidence
from tests.plugins.rules.failures import code, failure, fields, http, node, pairs


class Hit(NamedTuple):
    """A failure of a rule; ``path`` and ``value`` say what its patch must set in a node, None that it offers none."""

    rule: str
    make: Callable[[], Evidence]
    path: tuple[str | int, ...] | None = None
    value: Any = None
    node: str = "Step"


class Miss(NamedTuple):
    """A failure that looks like one of the rule and is not."""

    rule: str
    make: Callable[[], Evidence]


STRICT = {"caseSensitive": True, "leftValue": "", "typeValidation": "strict", "version": 2}
URL = ("parameters", "url")
CODE = ("parameters", "jsCode")
VALUE = ("parameters", "assignments", "assignments", 0, "value")
BODY = ("parameters", "bodyParameters", "parameters", 0)
FORMAT = ("parameters", "options", "response", "response", "responseFormat")
TEXT_OPTIONS = {"response": {"response": {"responseFormat": "text"}}}


def condition(left: str, kind: str) -> dict[str, Any]:
    entry = {"id": "c", "leftValue": left, "rightValue": 5, "operator": {"type": kind, "operation": "gt"}}
    return {"conditions": {"options": dict(STRICT), "conditions": [entry], "combinator": "and"}, "options": {}}


def number_field(value: str) -> dict[str, Any]:
    parameters = fields(total=value)
    parameters["assignments"]["assignments"][0]["type"] = "number"
    return parameters


def call(method: str = "GET", url: str = "https://api.example/v1/things", **more: Any) -> dict[str, Any]:
    return {"method": method, "url": url, **more}


def not_allowed(text: str) -> Evidence:
    return http((405, {"message": text}), method="GET")


def linked(rows: list[dict[str, Any]], given: list[dict[str, Any]]) -> Evidence:
    """An expression that asks for the matching item of ``Rows`` after ``Make`` lost the link."""
    return failure(
        "set",
        "Paired item data for item from node 'Make' is unavailable.",
        fields(label="={{ $('Rows').item.json.team }}"),
        before=[(node("Rows", "splitOut"), rows), (node("Make", "code"), given)],
        context={"type": "paired_item_no_info", "nodeCause": "Make"},
    )


def unexecuted(field: str) -> Evidence:
    return failure(
        "set",
        "Node 'Left' hasn't been executed",
        fields(rate=f"={{{{ $('Left').item.json.{field} }}}}"),
        before=[(node("Left", "set"), None), (node("Right", "set"), [{"rate": 3}])],
        context={"type": "no_execution_data", "nodeCause": "Left"},
    )


def kept_as(form: str, text: str, key: str = "orders") -> Evidence:
    request = node(
        "Fetch", "httpRequest", url="https://api.example/o", options={"response": {"response": {"responseFormat": form}}}
    )
    return code(
        f"return $input.first().json.{key}.map((o) => ({{ json: o }}));",
        "Cannot read properties of undefined (reading 'map') [line 1]",
        before=[(request, [{"data": text}])],
    )


def sent(answer: Any, status: int = 400, **values: str) -> Evidence:
    body = {name: value for name, value in values.items() if not value.startswith("=")}
    return http(
        (status, answer),
        method="POST",
        sendBody=True,
        bodyParameters=pairs(**values),
        body={"email": "a@b.example"},
        request={"body": body},
    )


HITS: tuple[Hit, ...] = (
    Hit("http-unauthorized", lambda: http((401, {"message": "bad key"}))),
    Hit("http-forbidden", lambda: http((403, {"message": "scope missing"}))),
    Hit("http-payment-required", lambda: http((402, {"message": "no credits"}))),
    Hit(
        "http-not-found",
        lambda: http((404, {"message": "No such path. Did you mean /v1/thing-list?"})),
        URL,
        "https://api.example/v1/thing-list",
    ),
    Hit("http-not-found", lambda: http((404, {"message": "Thing 9 not found"}))),
    Hit("http-not-found", lambda: http((410, {"message": "removed for good"}))),
    Hit("http-wrong-method", lambda: not_allowed("GET is not allowed here. Allowed: PATCH"), ("parameters", "method"), "PATCH"),
    Hit("http-wrong-method", lambda: not_allowed("method not allowed")),
    Hit(
        "http-media-type",
        lambda: http(
            (415, {"message": "send application/json"}), method="POST", contentType="form-urlencoded", bodyParameters=pairs(a="1")
        ),
        ("parameters", "contentType"),
        "json",
    ),
    Hit(
        "http-bad-request", lambda: sent({"message": "Missing field: first_name"}, firstname="Ada"), (*BODY, "name"), "first_name"
    ),
    Hit(
        "http-bad-request",
        lambda: sent({"message": "size must be one of: small, large"}, 422, size="Large"),
        (*BODY, "value"),
        "large",
    ),
    Hit("http-bad-request", lambda: http((409, {"message": "exists already"}), method="POST")),
    Hit(
        "http-rejected-type",
        lambda: sent({"field": "qty", "message": "qty must be an integer"}, 422, qty="3"),
        (*BODY, "value"),
        "={{ 3 }}",
    ),
    Hit(
        "http-plain-to-tls",
        lambda: http((400, "The plain HTTP request was sent to HTTPS port"), url="http://shop.example:8443/a"),
        URL,
        "https://shop.example:8443/a",
    ),
    Hit("http-quota", lambda: http((429, {"message": "You exceeded your monthly quota, check your billing"}))),
    Hit(
        "http-rate-limited",
        lambda: http((429, {"message": "slow down, retry in 2 s"}), method="POST"),
        ("waitBetweenTries",),
        2600,
    ),
    Hit("http-rate-limited", lambda: http((429, {"message": "retry in 2 hours"}))),
    Hit(
        "http-rate-limited",
        lambda: http((429, {"message": "5 requests per second"}), items=[{"a": 1}, {"a": 2}]),
        ("parameters", "options", "batching", "batch", "batchInterval"),
        270,
    ),
    Hit("http-outage", lambda: http((503, {"message": "restarting"})), ("retryOnFail",), True),
    Hit("http-outage", lambda: http((503, {"message": "restarting"}), method="POST", url="https://pay.example/charges")),
    Hit("http-server-fault", lambda: http((500, {"message": "NullPointerException"}))),
    Hit("http-server-fault", lambda: http((500, {"message": "please try later"})), ("maxTries",), 5),
    Hit("http-request-timeout", lambda: http((408, {"message": "slow client"})), ("retryOnFail",), True),
    Hit(
        "url-invalid",
        lambda: http(None, 'Invalid URL: api.example/x. URL must start with "http" or "https".', url="api.example/x"),
        URL,
        "https://api.example/x",
    ),
    Hit(
        "url-invalid",
        lambda: http(None, 'Invalid URL: 10.0.0.7:81/x. URL must start with "http" or "https".', url="10.0.0.7:81/x"),
        URL,
        "http://10.0.0.7:81/x",
    ),
    Hit(
        "url-invalid",
        lambda: http(None, 'Invalid URL: htps://a.example. URL must start with "http" or "https".', url="htps://a.example"),
        URL,
        "https://a.example",
    ),
    Hit("url-empty", lambda: http(None, "URL parameter must be a string, got undefined", url="={{ $json.nowhere }}")),
    Hit(
        "header-name",
        lambda: http(
            None,
            'Header name must be a valid HTTP token ["x id:"]',
            httpCode="ERR_INVALID_HTTP_TOKEN",
            headerParameters=pairs(**{"X Id:": "7"}),
        ),
        ("parameters", "headerParameters", "parameters", 0, "name"),
        "X-Id",
    ),
    Hit(
        "header-value",
        lambda: http(
            None,
            'Invalid character in header content ["x-note"]',
            httpCode="ERR_INVALID_CHAR",
            headerParameters=pairs(**{"X-Note": "one\ntwo"}),
        ),
        ("parameters", "headerParameters", "parameters", 0, "value"),
        "one two",
    ),
    Hit(
        "json-parameter",
        lambda: http(
            None,
            'The value in the "JSON Body" field is not valid JSON',
            jsonBody='={ "a": {{ $json.body.name }} }',
            body={"name": "Ann O"},
        ),
        ("parameters", "jsonBody"),
        '={ "a": {{ JSON.stringify($json.body.name) }} }',
    ),
    Hit(
        "json-parameter",
        lambda: http(None, 'The value in the "JSON Query Parameters" field is not valid JSON', jsonQuery="{'a': 1,}"),
        ("parameters", "jsonQuery"),
        '{"a": 1}',
    ),
    Hit("answer-not-json", lambda: http(None, "Response body is not valid JSON. Change", options={}), FORMAT, "text"),
    Hit(
        "answer-not-json",
        lambda: http(None, "Invalid JSON in response body", after=[node("Next", "set", text="={{ $json.name }}")]),
    ),
    Hit(
        "redirects",
        lambda: http(
            None,
            "Maximum number of redirects exceeded",
            httpCode="ERR_FR_TOO_MANY_REDIRECTS",
            options={"redirect": {"redirect": {"maxRedirects": 2}}},
        ),
        ("parameters", "options", "redirect", "redirect", "maxRedirects"),
        21,
    ),
    Hit("paging-loop", lambda: http(None, "The returned response was identical 5x, so requests got stopped")),
    Hit("dns", lambda: http(None, "no host", httpCode="ENOTFOUND")),
    Hit("refused", lambda: failure("postgres", "Connection refused", description="127.0.0.1:1")),
    Hit("reset", lambda: http(None, "closed", httpCode="ECONNRESET"), ("retryOnFail",), True),
    Hit("reset", lambda: http(None, "closed", httpCode="ECONNRESET", method="POST")),
    Hit(
        "timeout",
        lambda: http(None, "aborted", httpCode="ECONNABORTED", options={"timeout": 900}),
        ("parameters", "options", "timeout"),
        30000,
    ),
    Hit("timeout", lambda: http(None, "aborted", httpCode="ECONNABORTED")),
    Hit("tls-untrusted", lambda: http(None, "SSL Issue: consider", description="certificate has expired")),
    Hit(
        "tls-protocol",
        lambda: http(None, "write EPROTO: wrong version number", httpCode="EPROTO", url="https://192.168.1.9:8080/a"),
        URL,
        "http://192.168.1.9:8080/a",
    ),
    Hit(
        "tls-protocol", lambda: http(None, "write EPROTO: wrong version number", httpCode="EPROTO", url="https://bank.example/a")
    ),
    Hit(
        "missing-prefix",
        lambda: http(None, "Invalid URL: {{ $json.link }}. URL must", url="{{ $json.link }}"),
        URL,
        "={{ $json.link }}",
    ),
    Hit(
        "missing-prefix",
        lambda: http(
            None,
            "Invalid URL: {{ $json.link }}. URL must",
            url="={{ $json.u }}",
            before=[(node("Prep", "set", **fields(u="{{ $json.link }}")), [{"u": "{{ $json.link }}"}])],
        ),
        VALUE,
        "={{ $json.link }}",
        "Prep",
    ),
    Hit("expression-syntax", lambda: failure("set", "invalid syntax", fields(a="={{ $json.n * }}")), VALUE, "={{ $json.n }}"),
    Hit(
        "unknown-node",
        lambda: failure(
            "set",
            "Referenced node doesn't exist",
            fields(a="={{ $('Fetch Orders').item.json.x }}"),
            before=[(node("Fetch orders", "set"), [{"x": 1}])],
            context={"nodeCause": "Fetch Orders", "descriptionKey": "nodeNotFound"},
        ),
        VALUE,
        "={{ $('Fetch orders').item.json.x }}",
    ),
    Hit("unexecuted-node", lambda: unexecuted("rate"), VALUE, "={{ $json.rate }}"),
    Hit("unexecuted-node", lambda: unexecuted("nowhere")),
    Hit(
        "unconnected-node",
        lambda: failure(
            "set",
            "Invalid expression",
            fields(a="={{ $('Aside').item.json.q }}"),
            before=[(node("Aside", "set"), None)],
            context={"type": "paired_item_no_connection", "nodeCause": "Aside"},
        ),
    ),
    Hit(
        "paired-item",
        lambda: linked([{"team": "A"}, {"team": "A"}, {"team": "A"}], [{"n": 1}, {"n": 2}]),
        VALUE,
        "={{ $('Rows').first().json.team }}",
    ),
    Hit(
        "paired-item",
        lambda: linked([{"team": "A"}, {"team": "B"}], [{"n": 1}, {"n": 2}]),
        VALUE,
        "={{ $('Rows').all()[$itemIndex].json.team }}",
    ),
    Hit("paired-item", lambda: linked([{"team": "A"}, {"team": "B"}], [{"n": 1}])),
    Hit(
        "field-missing-in-request",
        lambda: sent({"message": "email is required"}, email="={{ $json.email }}"),
        (*BODY, "value"),
        "={{ $json.body.email }}",
    ),
    Hit(
        "field-missing",
        lambda: http(
            None, "URL parameter must be a string, got undefined", url="={{ $json.link }}", body={"link": "https://a.example"}
        ),
        URL,
        "={{ $json.body.link }}",
    ),
    Hit(
        "index-out-of-range",
        lambda: failure(
            "switch", "The ouput 3 is not allowed", {"output": "={{ $json.body.n }}"}, description="It has to be between 0 and 2"
        ),
        ("parameters", "output"),
        "={{ ($json.body.n) - 1 }}",
    ),
    Hit(
        "index-out-of-range",
        lambda: failure(
            "switch", "The ouput 9 is not allowed", {"output": "={{ $json.body.n }}"}, description="It has to be between 0 and 2"
        ),
    ),
    Hit("expression-function", lambda: failure("set", "$json.a.slug is not a function", fields(a="={{ $json.a.slug() }}"))),
    Hit(
        "field-not-in-items",
        lambda: failure(
            "sort",
            "Couldn't find the field 'prize' in the input data",
            {"sortFieldsUi": {"sortField": [{"fieldName": "prize"}]}},
            items=[{"price": 1, "name": "x"}],
        ),
        ("parameters", "sortFieldsUi", "sortField", 0, "fieldName"),
        "price",
    ),
    Hit(
        "field-not-in-items",
        lambda: failure(
            "sort",
            "Couldn't find the field 'zzz' in the input data",
            {"sortFieldsUi": {"sortField": [{"fieldName": "zzz"}]}},
            items=[{"price": 1, "name": "x"}],
        ),
    ),
    Hit(
        "condition-type",
        lambda: failure(
            "if",
            "Wrong type: '7' is a string but was expecting a number [condition 0, item 0]",
            condition("={{ $json.n }}", "number"),
            version=2.2,
        ),
        ("parameters", "looseTypeValidation"),
        True,
    ),
    Hit(
        "condition-type",
        lambda: failure(
            "if",
            "Wrong type: 'abc' is a string but was expecting a number [condition 0, item 0]",
            condition("={{ $json.n }}", "number"),
            version=2.2,
        ),
    ),
    Hit(
        "assignment-type",
        lambda: failure("set", "'total' expects a number but we got '1.250,50 €' [item 0]", number_field("={{ $json.t }}")),
        VALUE,
        "={{ Number(String($json.t).replace(/[^\\d,-]/g, '').replace(',', '.')) }}",
    ),
    Hit(
        "invalid-date",
        lambda: failure(
            "dateTime",
            "Invalid date format",
            {"operation": "formatDate", "date": "={{ $json.d }}", "options": {}},
            items=[{"d": "25/12/2026"}],
            version=2,
        ),
        ("parameters", "options", "fromFormat"),
        "dd/MM/yyyy",
    ),
    Hit(
        "invalid-date",
        lambda: failure(
            "dateTime",
            "Invalid date format",
            {"operation": "formatDate", "date": "={{ $json.d }}", "options": {}},
            items=[{"d": "05/12/2026"}],
            version=2,
        ),
    ),
    Hit(
        "missing-binary",
        lambda: failure(
            "extractFromFile", "The item has no binary field 'data' [item 0]", {"binaryPropertyName": "data"}, binary=("report",)
        ),
        ("parameters", "binaryPropertyName"),
        "report",
    ),
    Hit(
        "missing-binary",
        lambda: failure("extractFromFile", "The item has no binary field 'data' [item 0]", {"binaryPropertyName": "data"}),
    ),
    Hit(
        "sql-syntax",
        lambda: failure("postgres", 'syntax error at or near "FORM"', {"query": "SELECT id FORM users"}),
        ("parameters", "query"),
        "SELECT id FROM users",
    ),
    Hit("broken-document", lambda: failure("xml", "Unexpected close tag")),
    Hit(
        "code-syntax",
        lambda: code(
            "return [{ json: { a: Math.max(1, 2 } }];", "missing ) after argument list", line=None, description="SyntaxError"
        ),
        CODE,
        "return [{ json: { a: Math.max(1, 2) } }];",
    ),
    Hit("code-syntax", lambda: code("const x = ;\nreturn [];", "Unexpected token ';'", line=None, description="SyntaxError")),
    Hit(
        "json-parse-object",
        lambda: code(
            "return [{ json: JSON.parse($json.body) }];",
            '"[object Object]" is not valid JSON [line 1]',
            description="SyntaxError",
        ),
        CODE,
        "return [{ json: $json.body }];",
    ),
    Hit(
        "json-parse-fence",
        lambda: code(
            "return [{ json: JSON.parse($json.text) }];", "Unexpected token '`', \"```json [line 1]", description="SyntaxError"
        ),
        CODE,
        r"return [{ json: JSON.parse(String($json.text).replace(/^\s*```(?:json)?\s*|\s*```\s*$/g, '')) }];",
    ),
    Hit(
        "json-parse",
        lambda: code(
            "return [{ json: JSON.parse($json.text) }];",
            "Unexpected token 'S', \"Sorry\" is not valid JSON [line 1]",
            description="SyntaxError",
        ),
    ),
    Hit(
        "code-mode",
        lambda: code(
            "return [{ json: { n: $input.all().length } }];",
            "Can't use .all() here [line 1, for item 0]",
            each=True,
            description="This is only available in 'Run Once for All Items' mode",
        ),
        ("parameters", "mode"),
        "runOnceForAllItems",
    ),
    Hit(
        "code-mode",
        lambda: code(
            "return { json: { n: $input.first().json.n } };",
            "Can't use .first() here [line 1, for item 0]",
            each=True,
            description="This is only available in 'Run Once for All Items' mode",
        ),
        CODE,
        "return { json: { n: $input.item.json.n } };",
    ),
    Hit(
        "code-mode-items",
        lambda: code("return items.map((i) => i);", "items is not defined [line 1]", each=True),
        ("parameters", "mode"),
        "runOnceForAllItems",
    ),
    Hit(
        "code-mode-item",
        lambda: code("return { json: { n: item.json.n } };", "item is not defined [line 1]"),
        ("parameters", "mode"),
        "runOnceForEachItem",
    ),
    Hit("code-mode-item", lambda: code("const n = item.json.n;\nreturn [n];", "item is not defined [line 1]")),
    Hit(
        "code-shape",
        lambda: code("return $json.body.n * 2;", "Code doesn't return items properly", line=None),
        CODE,
        "return [{ json: { result: $json.body.n * 2 } }];",
    ),
    Hit(
        "code-shape",
        lambda: code("return [{ json: 5 }];", "A 'json' property isn't an object [item 0]", line=None),
        CODE,
        "return [{ json: { result: 5 } }];",
    ),
    Hit(
        "code-shape",
        lambda: code("return [{ json: { a: 1 } }];", "A 'json' property isn't an object [item 0]", line=None, each=True),
        CODE,
        "return { json: { a: 1 } };",
    ),
    Hit("answer-kept-as-text", lambda: kept_as("text", '{"orders": [{"id": 1}]}'), FORMAT, "json", "Fetch"),
    Hit(
        "code-index",
        lambda: code(
            "return [{ json: { n: $input.all()[1].json.body } }];",
            "Cannot read properties of undefined (reading 'json') [line 1]",
        ),
        CODE,
        "return [{ json: { n: $input.all()[0].json.body } }];",
    ),
    Hit(
        "code-undefined",
        lambda: code(
            "return [{ json: { c: $json.client.name } }];",
            "Cannot read properties of undefined (reading 'name') [line 1]",
            body={"client": {"name": "Ann"}},
        ),
        CODE,
        "return [{ json: { c: $json.body.client.name } }];",
    ),
    Hit(
        "code-undefined",
        lambda: code("return [{ json: { c: $json.q.name } }];", "Cannot read properties of undefined (reading 'name') [line 1]"),
    ),
    Hit(
        "code-not-iterable",
        lambda: code(
            "for (const r of $json.rows) { r.x = 1; }\nreturn [];",
            "$json.rows is not iterable [line 1]",
            body={"rows": [{"x": 0}]},
        ),
        CODE,
        "for (const r of $json.body.rows) { r.x = 1; }\nreturn [];",
    ),
    Hit(
        "code-not-a-list",
        lambda: code(
            "for (const r of $json.body) { r.x = 1; }\nreturn [];", "$json.body is not iterable [line 1]", body={"rows": 1}
        ),
    ),
    Hit(
        "code-no-function",
        lambda: code("return $input.all().fliter((i) => i.json);", "$input.all(...).fliter is not a function [line 1]"),
        CODE,
        "return $input.all().filter((i) => i.json);",
    ),
    Hit(
        "code-no-global-function",
        lambda: code("const half = (n) => n / 2;\nreturn [{ json: { h: haalf(4) } }];", "haalf is not defined [line 2]", line=2),
        CODE,
        "const half = (n) => n / 2;\nreturn [{ json: { h: half(4) } }];",
    ),
    Hit(
        "code-no-variable",
        lambda: code("const total = 4;\nreturn [{ json: { t: totl } }];", "totl is not defined [line 2]", line=2),
        CODE,
        "const total = 4;\nreturn [{ json: { t: total } }];",
    ),
    Hit("stop-and-error", lambda: failure("stopAndError", "401 Unauthorized customer", name="NodeOperationError")),
    Hit("code-throws", lambda: code("throw new Error(`Order ${$json.id} was paid before`);", "Order 7 was paid before [line 1]")),
    Hit(
        "child-stopped",
        lambda: failure(
            "executeWorkflow", "no stock", errorResponse={"message": "no stock", "node": node("Stop", "stopAndError")}
        ),
    ),
    Hit(
        "stopped-by-hand",
        lambda: failure("set", "The execution was cancelled manually", name="ManualExecutionCancelledError", status="canceled"),
    ),
    Hit(
        "no-respond-node",
        lambda: failure("set", "No Respond to Webhook node found in the workflow"),
        ("parameters", "responseMode"),
        "lastNode",
        "Hook",
    ),
    Hit(
        "unused-respond-node",
        lambda: failure("respondToWebhook", "Unused Respond to Webhook node found in the workflow"),
        ("parameters", "responseMode"),
        "responseNode",
        "Hook",
    ),
    Hit("missing-subworkflow", lambda: failure("executeWorkflow", "Workflow is not active and cannot be executed.")),
    Hit("subworkflow-denied", lambda: failure("executeWorkflow", "The sub-workflow (x) cannot be called by this workflow")),
    Hit("unknown-node-type", lambda: failure("executeWorkflow", "Unrecognized node type: n8n-nodes-maker.maker")),
    Hit("no-credentials", lambda: http(None, "Credentials not found")),
    Hit("sub-node-missing", lambda: failure("agent", "A Chat Model sub-node must be connected and enabled")),
    Hit(
        "code-no-function",
        lambda: code(
            "return [{ json: { t: $json.body.t.toTitleCase() } }];", "x.toTitleCase is not a function [line 1]", body={"t": "a b"}
        ),
        CODE,
        r"return [{ json: { t: String($json.body.t).replace(/\b\w/g, (letter) => letter.toUpperCase()) } }];",
    ),
    Hit(
        "code-no-function",
        lambda: code("return [{ json: { t: $json.body.n.trim() } }];", "x.trim is not a function [line 1]", body={"n": 5}),
        CODE,
        "return [{ json: { t: String($json.body.n).trim() } }];",
    ),
    Hit("env-access", lambda: code("return [{ json: { h: process.env.HOME } }];", "process is not defined [line 1]")),
    Hit("module-not-allowed", lambda: code("await fetch('https://a.example');", "fetch is not defined [line 1]")),
    Hit("module-not-allowed", lambda: code("require('axios');", "Module 'axios' is disallowed [line 1]")),
    Hit("runner-unavailable", lambda: failure("code", "Python runner unavailable: no Python", {"language": "pythonNative"})),
    Hit("code-too-slow", lambda: failure("code", "Task execution timed out after 60 seconds")),
    Hit("env-access", lambda: failure("set", "access to env vars denied")),
    Hit("file-access", lambda: failure("readWriteFile", "Access to the file is not allowed.", name="NodeApiError")),
    Hit(
        "crashed",
        lambda: failure(
            "code", "Workflow did not finish, possible out-of-memory issue", name="WorkflowCrashedError", status="crashed"
        ),
    ),
    Hit("workflow-timeout", lambda: failure("wait", status="canceled")),
    Hit(
        "withheld",
        lambda: failure("set").model_copy(update={"error": failure("set").error.model_copy(update={"withheld": True})}),
    ),
    Hit("context-too-long", lambda: failure("agent", "400 This model's maximum context length is 8192 tokens.")),
    Hit("graphql", lambda: failure("graphql", "Field 'foo' doesn't exist on type 'Query'")),
)

_PLAIN = "something else went wrong"

MISSES: tuple[Miss, ...] = (
    Miss("http-unauthorized", lambda: http((403, {"message": "401 was yesterday"}))),
    Miss("http-forbidden", lambda: http((404, {"message": "forbidden fruit not found"}))),
    Miss("http-payment-required", lambda: http((400, {"message": "payment is required"}))),
    Miss(
        "http-not-found", lambda: http((404, {"message": "no user"}), url="=https://a.example/u/{{ $json.id }}", body={"id": 7})
    ),
    Miss("http-wrong-method", lambda: http((400, {"message": "method POST is not allowed in this field"}))),
    Miss("http-media-type", lambda: http((400, {"message": "Unsupported Media Type"}))),
    Miss("http-bad-request", lambda: http((500, {"message": "Bad request inside"}))),
    Miss("http-rejected-type", lambda: sent({"message": "qty is required"}, 422, quantity="3")),
    Miss("http-plain-to-tls", lambda: http((400, {"message": "this form requires a name"}), url="http://a.example")),
    Miss("http-quota", lambda: http((429, {"message": "too many requests, retry in 1 s"}))),
    Miss("http-rate-limited", lambda: http((429, {"message": "insufficient_quota"}))),
    Miss("http-outage", lambda: http((500, {"message": "503 upstream"}))),
    Miss("http-server-fault", lambda: http((502, {"message": "500"}))),
    Miss("http-request-timeout", lambda: http(None, "aborted", httpCode="ECONNABORTED")),
    Miss("url-invalid", lambda: http(None, "Invalid URL: undefined/x. URL must", url="={{ $json.host }}/x")),
    Miss(
        "url-empty",
        lambda: http(
            None, "URL parameter must be a string, got undefined", url="={{ $json.link }}", body={"link": "https://a.example"}
        ),
    ),
    Miss("header-name", lambda: http(None, "Header missing")),
    Miss("header-value", lambda: http(None, "Invalid character in name")),
    Miss("json-parameter", lambda: code("JSON.parse('x')", '"x" is not valid JSON [line 1]', description="SyntaxError")),
    Miss("answer-not-json", lambda: http(None, 'The value in the "JSON Body" field is not valid JSON', jsonBody="{")),
    Miss("redirects", lambda: http((404, {"message": "the redirect page was not found"}))),
    Miss("paging-loop", lambda: http(None, "identical response")),
    Miss("dns", lambda: http(None, "refused", httpCode="ECONNREFUSED")),
    Miss("refused", lambda: http((403, {"message": "connection of accounts refused"}))),
    Miss("reset", lambda: http((400, {"message": "reset your password"}))),
    Miss("timeout", lambda: http((504, {"message": "upstream timeout"}))),
    Miss("tls-untrusted", lambda: http((400, {"message": "certificate number is missing"}))),
    Miss("tls-protocol", lambda: http((400, {"message": "wrong version number"}))),
    Miss("missing-prefix", lambda: code("const t = '{{ $json.a }}';", "t is not valid [line 1]")),
    Miss("missing-prefix", lambda: http((400, {"message": "no name"}), url="https://a.example/{{name}}")),
    Miss("expression-syntax", lambda: failure("postgres", "invalid syntax near FROM"[8:])),
    Miss("unknown-node", lambda: unexecuted("rate")),
    Miss("unexecuted-node", lambda: linked([{"team": "A"}], [{"n": 1}])),
    Miss(
        "unconnected-node",
        lambda: failure(
            "set",
            "Invalid expression",
            fields(a="={{ $('Ran').item.json.q }}"),
            before=[(node("Ran", "set"), [{"q": 1}])],
            context={"type": "paired_item_no_connection", "nodeCause": "Ran"},
        ),
    ),
    Miss("paired-item", lambda: unexecuted("rate")),
    Miss("field-missing-in-request", lambda: sent({"message": "country is required"}, email="={{ $json.email }}")),
    Miss("field-missing", lambda: http(None, "URL parameter must be a string, got undefined", url="={{ $json.nowhere }}")),
    Miss("index-out-of-range", lambda: failure("switch", "The output name is not allowed")),
    Miss(
        "expression-function",
        lambda: code("return $json.body.n.map();", "$json.body.n.map is not a function [line 1]", body={"n": 1}),
    ),
    Miss("field-not-in-items", lambda: failure("graphql", "Field 'foo' doesn't exist on type 'Query'")),
    Miss("condition-type", lambda: failure("set", "Wrong kind of type")),
    Miss("assignment-type", lambda: failure("set", "expects a number")),
    Miss("invalid-date", lambda: failure("set", "Invalid data format")),
    Miss("missing-binary", lambda: failure("sort", "Couldn't find the field 'binary' in the input data", items=[{"a": 1}])),
    Miss("sql-syntax", lambda: code("const x = ;", "Unexpected token ';'", line=None, description="SyntaxError")),
    Miss(
        "broken-document",
        lambda: failure("xml", 'Item has no JSON property called "xml"', {"dataPropertyName": "xml"}, items=[{"a": 1}]),
    ),
    Miss(
        "code-syntax",
        lambda: code(
            "return [{ json: JSON.parse($json.text) }];",
            "Unexpected token 'S', \"Sorry\" is not valid JSON [line 1]",
            description="SyntaxError",
        ),
    ),
    Miss(
        "json-parse-object",
        lambda: code(
            "return [{ json: JSON.parse($json.text) }];", '"object" is not valid JSON [line 1]', description="SyntaxError"
        ),
    ),
    Miss(
        "json-parse-fence",
        lambda: code(
            "return [{ json: JSON.parse($json.text) }];", '"plain" is not valid JSON [line 1]', description="SyntaxError"
        ),
    ),
    Miss(
        "json-parse",
        lambda: code(
            "return [{ json: { a: (1 } }];", "missing ) in parenthetical", line=None, description="SyntaxError: missing )"
        ),
    ),
    Miss("code-mode", lambda: code("return $json.all();", "$json.all is not a function [line 1]")),
    Miss("code-mode-items", lambda: code("return items2.map((i) => i);", "items2 is not defined [line 1]", each=True)),
    Miss("code-mode-item", lambda: code("return { json: item };", "item is not defined [line 1]", each=True)),
    Miss("code-shape", lambda: code("throw new Error('Code has no result for ' + 1);", "Code has no result for 1 [line 1]")),
    Miss("answer-kept-as-text", lambda: kept_as("text", "plain words, no JSON")),
    Miss(
        "code-index",
        lambda: code("return [{ json: { c: $json.q.name } }];", "Cannot read properties of undefined (reading 'name') [line 1]"),
    ),
    Miss("code-undefined", lambda: kept_as("text", '{"orders": [{"id": 1}]}')),
    Miss(
        "code-not-iterable",
        lambda: code("for (const r of $json.body) { r.x = 1; }", "$json.body is not iterable [line 1]", body={"rows": 1}),
    ),
    Miss(
        "code-not-a-list",
        lambda: code("for (const r of $json.rows) { r.x = 1; }", "$json.rows is not iterable [line 1]", body={"rows": [1]}),
    ),
    Miss("code-no-function", lambda: failure("set", "$json.a.slug is not a function", fields(a="={{ $json.a.slug() }}"))),
    Miss(
        "code-no-global-function",
        lambda: code("const total = 4;\nreturn [{ json: { t: totl } }];", "totl is not defined [line 2]", line=2),
    ),
    Miss("code-no-variable", lambda: code("return [{ json: { h: haalf(4) } }];", "haalf is not defined [line 1]")),
    Miss("stop-and-error", lambda: failure("set", "Stop and Error")),
    Miss(
        "code-throws",
        lambda: code(
            "if ($json.a) throw new Error('stock is empty');\nreturn $json.q.name;",
            "Cannot read properties of undefined (reading 'name') [line 2]",
            line=2,
        ),
    ),
    Miss(
        "child-stopped",
        lambda: failure("executeWorkflow", "no stock", errorResponse={"message": "no", "node": node("Call", "httpRequest")}),
    ),
    Miss("stopped-by-hand", lambda: failure("set", "The order was cancelled manually")),
    Miss("no-respond-node", lambda: failure("set", "Unused Respond to Webhook node found in the workflow")),
    Miss("unused-respond-node", lambda: failure("set", "No Respond to Webhook node found in the workflow")),
    Miss("missing-subworkflow", lambda: http((404, {"message": "Workflow not found"}))),
    Miss("subworkflow-denied", lambda: http((403, {"message": "cannot be called"}))),
    Miss("unknown-node-type", lambda: failure("set", "unknown type of node")),
    Miss("no-credentials", lambda: http((401, {"message": "credentials not found"}))),
    Miss("sub-node-missing", lambda: failure("agent", "The node must be connected")),
    Miss("module-not-allowed", lambda: code("throw new Error('Module is disallowed')", "Module is disallowed [line 1]")),
    Miss("runner-unavailable", lambda: http((503, {"message": "the service is unavailable"}))),
    Miss("code-too-slow", lambda: http(None, "timeout of 10ms exceeded", httpCode="ECONNABORTED")),
    Miss("env-access", lambda: http((403, {"message": "access denied"}))),
    Miss("file-access", lambda: failure("readWriteFile", "No file(s) found")),
    Miss("crashed", lambda: code("throw new Error('out of memory')", "out of memory [line 1]")),
    Miss("workflow-timeout", lambda: failure("wait", _PLAIN, status="canceled")),
    Miss("withheld", lambda: failure("set", _PLAIN)),
    Miss("context-too-long", lambda: http((400, {"message": "the text is too long"}))),
    Miss("graphql", lambda: failure("sort", "Couldn't find the field 'foo' in the input data", items=[{"a": 1}])),
)
