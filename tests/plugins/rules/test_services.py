"""Answers of services in the formats that frameworks give them, and how long services ask to be left alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.rules.failures import fields, http, judge, node, pairs, patched

PATIENCE: list[tuple[int, Any]] = [
    (429, {"message": "Daily limit of 2500 requests reached"}),
    (429, {"message": "Too many requests: 1000 per day, the counter resets at 00:00 UTC"}),
    (429, {"error": {"message": "You have made all calls of this month"}}),
    (429, {"message": "Slow down", "retry_after": 41230}),
    (429, {"message": "Slow down", "retryAfterMs": 7200000}),
    (429, {"message": "Tageslimit erreicht, bitte versuchen Sie es morgen erneut"}),
    (429, {"message": "تم تجاوز الحد اليومي"}),
    (429, {"message": "Request count exceeded (2500/2500)"}),
    (429, {"message": "Ihr Kontingent ist aufgebraucht"}),
    (429, {"message": "No more calls today"}),
    (503, {"message": "Scheduled maintenance until 06:00"}),
    (503, "<h1>Wartungsarbeiten</h1><p>bis 06:00 Uhr</p>"),
    (503, {"message": "We will be back at 7 pm"}),
    (502, {"message": "Unavailable", "retryAfter": 3600}),
    (503, {"message": "الخدمة متوقفة للصيانة"}),
]
MOMENTS: list[tuple[int, Any]] = [
    (429, {"message": "Too many requests, please try again later"}),
    # All that n8n keeps of many an answer, whatever stood beside it.
    (429, "rate_limit"),
    (429, "Too Many Requests"),
    (429, {"message": "Slow down: 1 request per second"}),
    (429, {"message": "Quota of reads per minute is used up"}),
    (429, {"message": "Slow down", "retry_after": 2}),
    (503, {"message": "Connection pool exhausted, please retry"}),
    (503, {"message": "Service restarting, please try again shortly"}),
    (503, {"message": "Short maintenance, retry in 3 seconds"}),
    (502, {"message": "Bad gateway"}),
]


@pytest.mark.parametrize(("status", "body"), PATIENCE)
def test_no_retries_where_the_service_wants_hours(status: int, body: Any) -> None:
    evidence = http((status, body))
    assert patched(evidence, judge(evidence)) is None


@pytest.mark.parametrize(("status", "body"), MOMENTS)
def test_retries_where_the_service_wants_a_moment(status: int, body: Any) -> None:
    evidence = http((status, body))
    nodes = patched(evidence, judge(evidence))
    assert nodes is not None
    assert nodes["Step"]["retryOnFail"] is True


@pytest.mark.parametrize("url", ["={{ $vars.API }}/pages", "={{ $env.API }}/pages", "={{ $json.api }}/pages"])
def test_no_host_is_made_up_for_an_address_that_lost_its_own(url: str) -> None:
    evidence = http(None, 'Invalid URL: /pages. URL must start with "http" or "https".', url=url)
    diagnosis = judge(evidence)
    assert diagnosis.source == "url-invalid"
    assert patched(evidence, diagnosis) is None


@pytest.mark.parametrize("api", [None, ""])
def test_what_is_left_of_an_address_is_not_taken_for_a_host(api: str | None) -> None:
    message = 'Invalid URL: pages. URL must start with "http" or "https".'
    evidence = http(None, message, url="={{ $json.api }}pages", items=[{"api": api}])
    assert patched(evidence, judge(evidence)) is None


@pytest.mark.parametrize(("typed", "is_mended"), [("api.example/v1", True), ("={{ $json.body.api }}", False)])
def test_an_address_gets_its_scheme_where_it_is_typed(typed: str, is_mended: bool) -> None:
    evidence = http(
        None,
        'Invalid URL: api.example/v1/pages. URL must start with "http" or "https".',
        url="={{ $json.api }}/pages",
        before=[(node("Settings", "set", 3.4, **fields(api=typed)), [{"api": "api.example/v1"}])],
    )
    diagnosis = judge(evidence)
    assert (diagnosis.node == "Settings") is is_mended
    nodes = patched(evidence, diagnosis)
    assert nodes is not None
    value = nodes["Settings"]["parameters"]["assignments"]["assignments"][0]["value"]
    assert value == ("https://api.example/v1" if is_mended else typed)


def test_an_address_that_only_lacks_its_scheme_gets_it() -> None:
    url = "={{ $json.host }}/pages"
    evidence = http(
        None, 'Invalid URL: api.example/pages. URL must start with "http" or "https".', url=url, items=[{"host": "api.example"}]
    )
    nodes = patched(evidence, judge(evidence))
    assert nodes is not None
    assert nodes["Step"]["parameters"]["url"] == "=https://{{ $json.host }}/pages"


def sent_as(status: int, answer: Any, item: dict[str, Any], body: dict[str, Any] | None = None, **parameters: Any) -> Any:
    """The parameters after the repair of a POST, None where there is none."""
    evidence = http((status, answer), method="POST", sendBody=True, items=[item], request={"body": body or item}, **parameters)
    nodes = patched(evidence, judge(evidence))
    return nodes["Step"]["parameters"] if nodes else None


LINES = {"lines": [{"sku": "A", "quantity": "20"}, {"sku": "B", "quantity": "5"}]}
CONVERTED = "={{ [].concat($json.lines).map((entry) => ({ ...entry, quantity: Number(entry.quantity) })) }}"


@pytest.mark.parametrize(
    "answer",
    [
        {"issues": [{"expected": "number", "path": ["lines", 0, "quantity"], "message": "Expected number, received string"}]},
        {"errors": {"Lines[0].Quantity": ["The JSON value could not be converted to System.Int32."]}},
        {"errors": [{"detail": "must be an integer", "source": {"pointer": "/lines/0/quantity"}}]},
        {"detail": [{"loc": ["body", "lines", 0, "quantity"], "msg": "Input should be a valid integer"}]},
        {"invalid-params": [{"name": "lines[0].quantity", "reason": "must be a positive integer"}]},
    ],
)
def test_a_field_inside_of_a_list_is_converted_in_every_entry(answer: Any) -> None:
    parameters = sent_as(400, answer, LINES, bodyParameters=pairs(lines="={{ $json.lines }}"))
    assert parameters["bodyParameters"]["parameters"][0]["value"] == CONVERTED


def test_a_list_with_an_entry_that_is_no_number_stays() -> None:
    item = {"lines": [{"quantity": "20"}, {"quantity": "a few"}]}
    answer = {"issues": [{"path": ["lines", 0, "quantity"], "message": "Expected number, received string"}]}
    assert sent_as(400, answer, item, bodyParameters=pairs(lines="={{ $json.lines }}")) is None


@pytest.mark.parametrize(
    "said",
    ["could not be converted to System.Boolean. Path: $.express", "Cannot deserialize value of type `java.lang.Boolean`"],
)
def test_types_are_read_in_the_words_of_their_languages(said: str) -> None:
    parameters = sent_as(
        400, {"errors": {"$.express": [said]}}, {"express": "true"}, bodyParameters=pairs(express="={{ $json.express }}")
    )
    value = parameters["bodyParameters"]["parameters"][0]["value"]
    assert value == "={{ ['true', '1'].includes(String($json.express).toLowerCase()) }}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("={{ JSON.stringify({ guest: $json.guest }) }}", "={{ JSON.stringify({ booking: { guest: $json.guest } }) }}"),
        ("={{ { guest: $json.guest } }}", "={{ { booking: { guest: $json.guest } } }}"),
        ('={"guest": "{{ $json.guest }}"}', '={"booking": {"guest": "{{ $json.guest }}"} }'),
    ],
)
def test_the_body_goes_below_the_root_key_that_is_missed(before: str, after: str) -> None:
    answer = {"error": "param is missing or the value is empty: booking"}
    assert sent_as(400, answer, {"guest": "Mina"}, specifyBody="json", jsonBody=before)["jsonBody"] == after


def test_pairs_go_below_the_root_key_as_an_expression() -> None:
    answer = {"error": "param is missing or the value is empty: booking"}
    parameters = sent_as(400, answer, {"guest": "Mina"}, bodyParameters=pairs(guest="={{ $json.guest }}", desk="north"))
    assert parameters["specifyBody"] == "json"
    assert parameters["jsonBody"] == '={{ { booking: { guest: $json.guest, desk: "north" } } }}'


def test_a_body_that_has_its_root_key_stays() -> None:
    answer = {"error": "param is missing or the value is empty: booking"}
    body = {"booking": {}}
    assert sent_as(400, answer, {"a": 1}, body, specifyBody="json", jsonBody="={{ { booking: {} } }}") is None


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("must be an upper-case code", "={{ String($json.country).toUpperCase() }}"),
        ("must be in capital letters", "={{ String($json.country).toUpperCase() }}"),
        ("must contain an uppercase letter", None),
    ],
)
def test_letters_in_the_case_that_the_service_wants(said: str, after: str | None) -> None:
    fault = f"<Fault><faultstring>Parameter country {said}</faultstring><parameter>country</parameter></Fault>"
    parameters = sent_as(400, fault, {"country": "de"}, bodyParameters=pairs(country="={{ $json.country }}"))
    assert (parameters and parameters["bodyParameters"]["parameters"][0]["value"]) == after


@pytest.mark.parametrize(
    ("item", "before", "after"),
    [
        ({"ship.city": "Oslo"}, "={{ $json.ship.city.trim() }}", "={{ $json['ship.city'].trim() }}"),
        ({"discount": None}, "={{ $json.discount.percent ?? 0 }}", "={{ $json.discount?.percent ?? 0 }}"),
        ({"ids": [4, 5]}, "={{ $json.ids }}", "={{ [].concat($json.ids).join(',') }}"),
        ({"discount": {"percent": None}}, "={{ $json.discount.percent }}", None),
        ({"ship": {"city": None}}, "={{ $json.ship.city.trim() }}", None),
    ],
)
def test_a_value_that_was_lost_or_misshapen_is_sent(item: dict[str, Any], before: str, after: str | None) -> None:
    answer = {"errors": [{"field": "chosen", "message": "must be a comma-separated list"}]}
    sent = {"chosen": item["ids"]} if "ids" in item else {"other": 1}
    parameters = sent_as(422, answer, item, sent, bodyParameters=pairs(chosen=before))
    assert (parameters and parameters["bodyParameters"]["parameters"][0]["value"]) == after


def test_a_text_that_is_to_have_commas_is_not_made_a_list() -> None:
    answer = {"errors": [{"parameter": "ids", "message": "must be a comma-separated list of integers"}]}
    assert sent_as(400, answer, {"ids": "4;5"}, bodyParameters=pairs(ids="={{ $json.ids }}")) is None


@pytest.mark.parametrize(
    ("said", "item", "after"),
    [
        ("must be a string if present", {"phone": None}, "={{ $json.phone ?? undefined }}"),
        ("null is not allowed, omit the field", {"phone": None}, "={{ $json.phone ?? undefined }}"),
        ("must not be null", {"phone": None}, None),
        ("must be a phone number if present", {"phone": "n/a"}, None),
    ],
)
def test_a_null_is_left_out_where_the_service_allows_it(said: str, item: dict[str, Any], after: str | None) -> None:
    answer = {"errors": [{"field": "phone", "message": said}]}
    parameters = sent_as(422, answer, item, bodyParameters=pairs(phone="={{ $json.phone }}"))
    assert (parameters and parameters["bodyParameters"]["parameters"][0]["value"]) == after


def test_a_capital_at_the_start_of_a_sentence_renames_nothing() -> None:
    item = {"name": "Ab C"}
    parameters = sent_as(422, {"message": "Name must be in lower case"}, item, bodyParameters=pairs(name="={{ $json.name }}"))
    assert parameters["bodyParameters"] == pairs(name="={{ String($json.name).toLowerCase() }}")
