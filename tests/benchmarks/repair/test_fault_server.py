"""The fault server answers as a route says, and tells what it served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.benchmarks.repair.fault_server import FaultServer, Served


@pytest.fixture
def faults() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def call(faults: FaultServer, method: str, path: str, **arguments: Any) -> requests.Response:
    return requests.request(method, f"http://127.0.0.1:{faults.port}{path}", timeout=10, **arguments)


def test_first_calls_fail_and_only_good_ones_count(faults: FaultServer) -> None:
    failure = {"times": 1, "status": 503, "headers": {"Retry-After": "1"}, "body": "<h1>Down</h1>"}
    faults.install([{"method": "GET", "path": "/rates", "body": {"eur": 0.9}, "fail_first": failure}])
    first = call(faults, "GET", "/rates")
    assert (first.status_code, first.headers["Retry-After"], first.text) == (503, "1", "<h1>Down</h1>")
    assert faults.served == []
    assert call(faults, "GET", "/rates").json() == {"eur": 0.9}
    assert faults.served == [Served("GET", "/rates")]


def test_a_new_start_forgets(faults: FaultServer) -> None:
    routes = [{"path": "/rates", "fail_first": {"times": 1, "drop": True}}]
    for _ in range(2):
        faults.install(routes)
        with pytest.raises(requests.ConnectionError):
            call(faults, "GET", "/rates")
        assert call(faults, "GET", "/rates").status_code == 200


def test_a_limit_refuses_what_is_too_much(faults: FaultServer) -> None:
    faults.install([{"path": "/stock", "limit": {"calls": 2, "seconds": 3600}}])
    assert [call(faults, "GET", "/stock").status_code for _ in range(3)] == [200, 200, 429]


def test_other_methods_and_near_paths_are_named(faults: FaultServer) -> None:
    faults.install([{"method": "PATCH", "path": "/cards/7"}])
    wrong = call(faults, "PUT", "/cards/7")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "PATCH")
    assert "Did you mean /cards/7?" in call(faults, "PATCH", "/card/7").json()["message"]


def test_query_chooses_the_route(faults: FaultServer) -> None:
    faults.install([{"path": "/list", "when_query": {"page": "2"}, "body": {"page": 2}}, {"path": "/list", "body": {"page": 1}}])
    assert call(faults, "GET", "/list?page=2").json() == {"page": 2}
    assert call(faults, "GET", "/list").json() == {"page": 1}


@pytest.mark.parametrize(
    ("need", "good", "bad"),
    [
        ({"json": "lines.0.sku"}, {"lines": [{"sku": "A"}]}, {"lines": []}),
        ({"json": "guests", "type": "number"}, {"guests": 4}, {"guests": True}),
        ({"json": "state", "one_of": ["low", "high"]}, {"state": "low"}, {"state": "HIGH"}),
        ({"json": "day", "matches": "^2026-"}, {"day": "2026-01-01"}, {"day": "1.1.2026"}),
        ({"json": "$", "type": "object"}, {"any": 1}, [1]),
        ({"json": "lines", "most": 2}, {"lines": [1, 2]}, {"lines": [1, 2, 3]}),
        ({"any": [{"json": "a", "equals": 1}, {"json": "b", "equals": 2}]}, {"b": 2}, {"b": 3}),
    ],
)
def test_requirements(faults: FaultServer, need: dict[str, Any], good: Any, bad: Any) -> None:
    faults.install([{"path": "/in", "require": [{**need, "status": 422, "body": {"message": "no"}}]}])
    assert call(faults, "POST", "/in", json=good).status_code == 200
    assert call(faults, "POST", "/in", json=bad).status_code == 422


def test_forms_and_headers_are_required_and_echoed(faults: FaultServer) -> None:
    form = {"content_type": "application/x-www-form-urlencoded", "status": 415}
    header = {"header": "X-Shop", "equals": "12", "status": 401}
    faults.install([{"path": "/pay", "body": {"id": 1}, "echo": True, "require": [form, header]}])
    assert call(faults, "POST", "/pay", json={"amount": 5}).status_code == 415
    assert call(faults, "POST", "/pay", data={"amount": 5}).status_code == 401
    answer = call(faults, "POST", "/pay?a=b", data={"amount": 5}, headers={"X-Shop": "12"}).json()
    assert answer == {"id": 1, "received": {"amount": "5"}, "query": {"a": "b"}}


def test_nobody_knows_its_certificate_and_nothing_listens_on_the_closed_port(faults: FaultServer) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://127.0.0.1:{faults.tls_port}/", timeout=10)
    with pytest.raises(requests.ConnectionError, match="refused"):
        requests.get(f"http://127.0.0.1:{faults.closed_port}/", timeout=10)
