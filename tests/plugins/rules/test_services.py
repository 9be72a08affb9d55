"""Answers of services in the formats that frameworks give them, and how long services ask to be left alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.rules.failures import http, judge, pairs, patched

PATIENCE: list[tuple[int, Any]] = [
    (429, {"message": "Daily limit of 2500 requests reached"}),
    (429, {"message": "Too many requests: 1000 per day, the counter resets at 00:00 UTC"}),
    (429, {"error": {"message": "You have made all calls of this month"}}),
    (429, {"message": "Slow down", "retry_after": 41230}),
    (429, {"message": "Slow down", "retryAfterMs": 7200000}),
    (429, {"message": "Tageslimit erreicht, bitte versuchen Sie es morgen erneut"}),
    (429, {"message": "تم تجاوز الحد اليومي"}),
    (429, "rate_limit"),
    (429, "Too Many Requests"),
    (503, {"message": "Scheduled maintenance until 06:00"}),
    (503, "<h1>Wartungsarbeiten</h1><p>bis 06:00 Uhr</p>"),
    (503, {"message": "We will be back at 7 pm"}),
    (502, {"message": "Unavailable", "retryAfter": 3600}),
    (503, {"message": "الخدمة متوقفة للصيانة"}),
]
MOMENTS: list[tuple[int, Any]] = [
    (429, {"message": "Too many requests, please try again later"}),
    (429, {"message": "Slow down: 1 request per second"}),
    (429, {"message": "Quota of reads per minute is used up"}),
    (429, {"message": "Slow down", "retry_after": 2}),
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


def test_an_address_that_only_lacks_its_scheme_gets_it() -> None:
    url = "={{ $json.host }}/pages"
    evidence = http(
        None, 'Invalid URL: api.example/pages. URL must start with "http" or "https".', url=url, items=[{"host": "api.example"}]
    )
    nodes = patched(evidence, judge(evidence))
    assert nodes is not None
    assert nodes["Step"]["parameters"]["url"] == "=https://{{ $json.host }}/pages"
