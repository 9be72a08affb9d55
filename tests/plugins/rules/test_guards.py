"""No patch where it might give a green run with wrong data; beside each such failure one like it that is repaired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.plugin_api import Evidence
from plugins.analyzers.rules.likeness import adds_only_words, is_alike
from plugins.analyzers.rules.numerals import number_reading
from tests.plugins.rules.examples import condition, number_field, sent
from tests.plugins.rules.failures import code, failure, fields, http, judge, node, pairs, patched


def patch_of(evidence: Evidence) -> dict[str, Any] | None:
    """The parameters of the failing node after the patch, None where there is advice only."""
    diagnosis = judge(evidence)
    assert diagnosis.suggestions
    nodes = patched(evidence, diagnosis)
    return nodes["Step"]["parameters"] if nodes else None


def undefined(source: str, reading: str, *items: dict[str, Any], **options: Any) -> Evidence:
    return code(source, f"Cannot read properties of undefined (reading '{reading}')", items=list(items), **options)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("firstName", "first_name"),
        ("tags", "tag"),
        ("custmer", "customer"),
        ("minuts", "minutes"),
        ("titel", "title"),
        ("qty", "quantity"),
        ("percent", "percentage"),
        ("phone", "phone_number"),
        ("postal-code", "postcode"),
        ("mail", "email"),
        ("اسم_العميل", "إسم العميل"),
        ("المدينه", "المدينة"),
    ],
)
def test_names_that_are_one(wanted: str, found: str) -> None:
    assert is_alike(wanted, found)
    assert is_alike(found, wanted)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("billing_address", "shipping_address"),
        ("minPrice", "maxPrice"),
        ("date", "rate"),
        ("item", "time"),
        ("count", "country"),
        ("address1", "address2"),
        ("manager_name", "name_of_team"),
        ("city", "name"),
        ("is_active", "inactive"),
        ("customer", "customer_id"),
        ("user_id", "order_id"),
        ("المدينة", "المدير"),
        ("", "name"),
    ],
)
def test_names_that_are_two(wanted: str, found: str) -> None:
    assert not is_alike(wanted, found)
    assert not is_alike(found, wanted)


def test_a_name_with_more_words() -> None:
    assert adds_only_words("email", "teilnehmer_email")
    assert not adds_only_words("mail", "teilnehmer_email")


@pytest.mark.parametrize("values", [["12 kg", "7"], ["1,250.75", "12,000"], ["4.5 °C", "11.0 °C"], ["-3", 4]])
def test_numbers_with_a_point(values: list[object]) -> None:
    reading = number_reading(values)
    assert reading is not None
    assert "[^\\d.-]" in reading


def test_numbers_with_a_comma_and_in_arabic_digits() -> None:
    assert "[^\\d,-]" in str(number_reading(["1.234,50", "12,5"]))
    assert "1632" in str(number_reading(["٤٥", "١٢٫٥", "7"]))
    assert "1776" in str(number_reading(["۴۵"]))


@pytest.mark.parametrize(
    "values",
    [
        ["12 kg", "500 g"],
        ["12", ""],
        ["12", "n/a"],
        ["1,250"],
        ["1.234,50", "1,234.50"],
        ["12,5", 12.5],
        ["1.5k"],
        ["15%"],
        ["12 m2"],
        ["5-10"],
        ["(500)"],
        ["−5"],
        ["INV-7"],
        [],
        [None],
    ],
)
def test_numbers_that_a_conversion_would_lose(values: list[object]) -> None:
    assert number_reading(values) is None


def assignment(*values: object, wanted: str = "number") -> Evidence:
    parameters = number_field("={{ $json.v }}")
    entry = parameters["assignments"]["assignments"][0]
    entry["type"] = wanted
    message = f"'{entry['name']}' expects a {wanted} but we got '{values[0]}' [item 0]"
    return failure("set", message, parameters, items=[{"v": value} for value in values], version=3.4)


def test_a_conversion_suits_all_items() -> None:
    assert patch_of(assignment("12 kg", "7 kg"))
    assert patch_of(assignment("12 kg", "700 g")) is None
    assert patch_of(assignment("12 kg", "unknown")) is None
    assert patch_of(assignment("نعم", "لا", wanted="boolean"))
    assert patch_of(assignment("نعم", "ربما", wanted="boolean")) is None


def comparison(kind: str, *values: str) -> Evidence:
    message = f"Wrong type: '{values[0]}' is a string but was expecting a {kind} [condition 0, item 0]"
    return failure("if", message, condition("={{ $json.v }}", kind), items=[{"v": value} for value in values], version=2.2)


def test_a_condition_is_loosened_for_all_items_only() -> None:
    assert patch_of(comparison("number", "5", "7"))
    assert patch_of(comparison("number", "5", "")) is None
    assert patch_of(comparison("dateTime", "25/12/2026", "03/04/2026"))
    assert patch_of(comparison("dateTime", "25/12/2026", "12/25/2026")) is None


def test_a_field_is_not_another_one() -> None:
    assert patch_of(undefined("return $json.firstName.trim()", "trim", {"first_name": "x"}))
    assert patch_of(undefined("return $json.city.trim()", "trim", {"name": "x"})) is None
    assert patch_of(undefined("return $json.billing_address.trim()", "trim", {"shipping_address": "x"})) is None
    # Higher up lies another one's field, unless only a wrapping was left out.
    assert patch_of(undefined("return $json.body.email.trim()", "trim", {"body": {}, "email": "x"}))
    assert patch_of(undefined("return $json.manager.name.trim()", "trim", {"manager": {}, "name": "x"})) is None
    assert patch_of(undefined("return $json.name.trim()", "trim", {"company": {"name": "x"}})) is None


def test_an_object_of_a_longer_name_is_taken_only_where_it_is_the_only_one() -> None:
    source, address = "return { city: $json.address.city }", {"city": "Oslo"}
    assert patch_of(undefined(source, "city", {"shippingAddress": address}))
    assert patch_of(undefined(source, "city", {"shippingAddress": address, "billingAddress": address})) is None
    assert patch_of(undefined(source, "city", {"shippingAddress": {"street": "x"}})) is None
    assert patch_of(undefined(source, "city", {"warehouse": address})) is None


LOOP = "for (const line of $json.lines) { out.push({ json: { sku: line.sku, pieces: line.pieces } }); }"


def test_a_list_is_another_one_where_its_entries_have_what_is_read() -> None:
    def run(entry: dict[str, Any]) -> Evidence:
        return code(LOOP, "$json.lines is not iterable", items=[{"positions": [entry]}])

    made = patch_of(run({"sku": "a", "pieces": 1}))
    assert made is not None
    assert "$json.positions" in made["jsCode"]
    assert patch_of(run({"text": "a"})) is None


def test_the_first_of_several_is_taken_only_where_it_is_of_its_own_kind() -> None:
    source = "return $input.all().map(({ json }) => ({ json: { phone: json.phones.number.trim() } }));"
    home = {"type": "home", "number": "2"}
    mobile = {"type": "mobile", "number": "1"}
    assert patch_of(undefined(source, "trim", {"phones": [mobile]}, {"phones": [mobile, home]}))
    assert patch_of(undefined(source, "trim", {"phones": [mobile]}, {"phones": [home, mobile]})) is None


def test_a_text_is_parsed_where_all_of_the_code_needs_it() -> None:
    item = {"payload": '{"table": 4, "dishes": ["a", "b"]}'}
    made = patch_of(
        undefined("const o = $json.payload;\nreturn { json: { t: o.table, d: o.dishes.join() } };", "join", item, line=2)
    )
    assert made is not None
    assert made["jsCode"].startswith("const o = JSON.parse($json.payload);")
    assert "o.dishes.join()" in made["jsCode"]
    whole = "return { json: { t: $json.payload.table, d: $json.payload.dishes.join() } };"
    assert patch_of(undefined(whole, "join", item)) is None


def test_an_optional_field_is_not_one_that_an_expression_failed_to_make() -> None:
    source = "return $input.all().map((item) => ({ json: { n: item.json.boss.name.trim() } }));"
    items: list[dict[str, Any]] = [{"boss": {"name": "x"}}, {"boss": None}]

    def run(value: str) -> Evidence:
        before = [(node("Made", "set", 3.4, **fields(boss=value)), items)]
        return code(source, "Cannot read properties of null (reading 'name')", before=before)

    assert patch_of(run("={{ $json.boss }}"))
    assert patch_of(run("={{ JSON.parse($json.text) }}")) is None


SHAPE = "Code doesn't return items properly"


@pytest.mark.parametrize(
    "source",
    [
        "const main = (rows) => rows.map((row) => ({ json: row }));\nreturn main;",
        "const load = async () => 5;\nreturn load();",
        "return Promise.all([]);",
        "return DateTime.now();",
        "return new Set([1]);",
        "return $input.all;",
        "class Row {}\nreturn Row;",
        "return $input.all().forEach((item) => { out.push(item); });",
        "return $input.all().map((item) => { const b = item.json.a; });",
        "let sum = 0;\nfor (const item of $input.all()) { sum += item.json.a; }",
    ],
)
def test_what_is_no_data_is_not_made_an_item(source: str) -> None:
    assert patch_of(code(source, SHAPE, items=[{"a": 1}], line=None)) is None


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("const main = async () => {\n  return $input.all().map(({ json }) => ({ json }));\n};\nreturn main;", "return main();"),
        ("const sum = 1 + 2;\nreturn sum;", "json"),
        ("return $input.all().forEach((item) => { item.json.b = 2; });", "return item;"),
        ("for (const item of $input.all()) { item.json.b = 2; }", "return $input.all();"),
    ],
)
def test_data_are_made_items(source: str, wanted: str) -> None:
    made = patch_of(code(source, SHAPE, items=[{"a": 1}], line=None))
    assert made is not None
    assert wanted in made["jsCode"]


def refused(text: str, method: str = "PUT") -> Evidence:
    request = {"method": method, "uri": "https://api.example/crm/leads"}
    return http((405, {"message": text}), method=method, url="https://api.example/crm/leads", request=request)


def test_a_redirected_call_keeps_its_method() -> None:
    assert patch_of(refused("Method PUT is not allowed for /crm/leads. Allowed: PATCH"))
    assert patch_of(refused("Method GET is not allowed for /crm/leads. Allowed: PATCH")) is None
    assert patch_of(refused("Method PUT is not allowed for /crm/v3/leads. Allowed: PATCH")) is None


def pointed(pointer: str, **values: str) -> Evidence:
    entry = {"source": {"pointer": pointer}, "title": "Invalid Attribute", "detail": "can't be blank"}
    return sent({"errors": [entry]}, 422, **values)


def test_only_what_is_complained_about_is_renamed() -> None:
    made = patch_of(pointed("/data/attributes/postal-code", postcode="1"))
    assert made is not None
    assert made["bodyParameters"] == pairs(**{"postal-code": "1"})
    assert patch_of(pointed("/data/attributes/shipping_address", billing_address="x")) is None
    assert patch_of(sent({"error": "invalid parameter 'since': cannot parse as a Unix timestamp"}, meter="1", since="x")) is None
    known = {"detail": "Unknown field 'phone'. Known fields: name, phone_number, city"}
    assert patch_of(sent(known, phone="1"))
    assert patch_of(sent(known, phone="1", phone_number="2")) is None


def test_an_expression_is_not_made_one_value() -> None:
    answer = {"errors": {"state": ["Allowed values: low, high."]}}

    def run(value: str) -> Evidence:
        body = f"={{{{ JSON.stringify({{ state: {value} }}) }}}}"
        return http((422, answer), method="POST", sendBody=True, specifyBody="json", jsonBody=body, items=[{"s": "HIGH"}])

    made = patch_of(run("$json.s"))
    assert made is not None
    assert "String($json.s).toLowerCase()" in made["jsonBody"]
    assert '"high"' in str(patch_of(run("'HIGH'")))


def demanded(answer: str, *values: str) -> Evidence:
    body = "={{ JSON.stringify({ when: $json.v }) }}"
    items = [{"v": value} for value in values]
    errors = {"errors": {"when": [answer]}}
    return http((422, errors), method="POST", sendBody=True, specifyBody="json", jsonBody=body, items=items)


def test_what_a_service_demands_is_made_of_all_items() -> None:
    assert patch_of(demanded("must be a date: YYYY-MM-DD", "25/12/2026", "03/04/2026"))
    assert patch_of(demanded("must be a date: YYYY-MM-DD", "25/12/2026", "12/25/2026")) is None
    assert patch_of(demanded("must be a number", "5", "7"))
    assert patch_of(demanded("must be a number", "5", "many")) is None


def test_a_write_of_several_items_is_not_made_again() -> None:
    def run(method: str) -> dict[str, Any]:
        evidence = http((429, {"message": "slow down"}), method=method, items=[{"a": 1}, {"a": 2}])
        nodes = patched(evidence, judge(evidence))
        assert nodes is not None
        return nodes["Step"]

    assert run("GET")["retryOnFail"] is True
    written = run("POST")
    assert "retryOnFail" not in written
    assert "batching" in written["parameters"]["options"]


def linked(between: str) -> Callable[[], Evidence]:
    rows = [{"id": 1, "total": 5}, {"id": 2, "total": 6}]
    before = [(node("Rows", "set", 3.4), rows), (node("Between", between), [{"x": 1}, {"x": 2}])]
    context = {"descriptionKey": "pairedItemNoInfo", "nodeCause": "Between", "type": "paired_item_no_info"}
    return lambda: failure(
        "set",
        "Paired item data for item from node 'Between' is unavailable",
        fields(v="={{ $('Rows').item.json.total }}"),
        before=before,
        context=context,
        name="ExpressionError",
        version=3.4,
    )


def test_items_are_paired_by_their_place_only_where_it_is_kept() -> None:
    assert "$itemIndex" in str(patch_of(linked("noOp")()))
    assert patch_of(linked("sort")()) is None


def test_the_only_file_is_taken_for_one_of_no_name() -> None:
    def run(wanted: str) -> Evidence:
        message = f"This operation expects the node's input data to contain a binary file '{wanted}', but none was found"
        return failure("extractFromFile", message, {"binaryPropertyName": wanted}, items=[{}], binary=("price_list",))

    assert patch_of(run("data"))
    assert patch_of(run("prices_list"))
    assert patch_of(run("contract")) is None


def missing_node(path: str, missing: str, *before: tuple[str, str, dict[str, Any]]) -> Evidence:
    return failure(
        "set",
        "Referenced node doesn't exist",
        fields(a=f"={{{{ $('{missing}').item.json.{path} }}}}"),
        before=[(node(name, kind), [item]) for name, kind, item in before],
        context={"nodeCause": missing, "descriptionKey": "nodeNotFound"},
    )


def test_a_node_of_another_name_is_taken_by_its_kind_or_by_what_only_it_has() -> None:
    form = ("Contact form", "webhook", {"body": {"name": "Omar"}})
    assert patch_of(missing_node("body.name", "Old", form, ("Score", "set", {"score": 5})))
    assert patch_of(missing_node("label", "HTTP Request1", ("Orders", "httpRequest", {"x": 1}), ("Tidy", "set", {"y": 1})))
    assert patch_of(missing_node("name", "Old", ("Customer", "set", {"name": "Omar"}))) is None
    assert patch_of(missing_node("x", "HTTP Request", ("One", "httpRequest", {"x": 1}), ("Two", "httpRequest", {"x": 1}))) is None
