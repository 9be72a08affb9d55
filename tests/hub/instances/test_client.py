"""The client against a server that answers as n8n, a proxy or something else may. The real n8n is in tests/n8n."""

from __future__ import annotations

import datetime as dt
import email.utils
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.columns import utc_now
from hub.egress import EgressPolicy, open_session
from hub.instances.client import (
    BrokenAnswer,
    Forbidden,
    Missing,
    N8nClient,
    N8nError,
    NotN8n,
    RateLimited,
    Rejected,
    ServerFault,
    Starting,
    TimedOut,
    TooLarge,
    Unauthorized,
    Unreachable,
)
from hub.instances.features import Features
from hub.instances.words import describe_error

FEATURES = Features(publish_if_active=True, publish=True, retry=True, version_path="versions", found_at=utc_now())


@pytest.fixture
def client(httpserver: HTTPServer) -> Iterator[N8nClient]:
    with N8nClient(httpserver.url_for("/"), "key-1", open_session(EgressPolicy(loopback=True)), features=FEATURES) as client:
        yield client


def test_a_list_sends_the_key_and_gives_the_next_cursor(client: N8nClient, httpserver: HTTPServer) -> None:
    page = {"data": [{"id": "1"}], "nextCursor": "abc"}
    expected = {"limit": "250", "status": "error", "cursor": "xyz", "workflowId": "w1"}
    httpserver.expect_request("/api/v1/executions", query_string=expected, headers={"X-N8N-API-KEY": "key-1"}).respond_with_json(
        page
    )
    found = client.list_executions("xyz", 1000, "error", "w1")
    assert (list(found.rows), found.next_cursor) == ([{"id": "1"}], "abc")


@pytest.mark.parametrize("limit", [0, -5])
def test_a_list_never_asks_for_zero_rows(client: N8nClient, httpserver: HTTPServer, limit: int) -> None:
    """n8n answers limit=0 with every row that it has."""
    query = {"limit": "1", "excludePinnedData": "true"}
    httpserver.expect_request("/api/v1/workflows", query_string=query).respond_with_json({"data": [], "nextCursor": None})
    assert client.list_workflows(limit=limit).next_cursor is None


ANSWERS: list[tuple[dict[str, Any], type[N8nError]]] = [
    ({"status": 401, "response_json": {"message": "Unauthorized"}}, Unauthorized),
    ({"status": 403, "response_json": {"message": "Forbidden"}}, Forbidden),
    ({"status": 404, "response_json": {"message": "Not Found"}}, Missing),
    ({"status": 400, "response_json": {"message": "request/body/id is read-only"}}, Rejected),
    ({"status": 409, "response_json": {"message": "conflict"}}, Rejected),
    ({"status": 429, "response_json": {"message": "Too many"}}, RateLimited),
    ({"status": 500, "response_json": {"message": "Internal"}}, ServerFault),
    ({"status": 502, "response_data": "<html>", "content_type": "text/html"}, ServerFault),
    ({"status": 503, "response_data": "", "content_type": "text/plain"}, ServerFault),
    ({"status": 200, "response_data": "<!doctype html>", "content_type": "text/html"}, NotN8n),
    ({"status": 200, "response_data": "hello", "content_type": "text/plain"}, NotN8n),
    ({"status": 200, "response_data": "n8n is starting up. Please wait", "content_type": "text/html"}, Starting),
    ({"status": 200, "response_data": '{"data": [{"id": ', "content_type": "application/json"}, BrokenAnswer),
    ({"status": 200, "response_data": "[1]", "content_type": "application/json"}, NotN8n),
    ({"status": 200, "response_data": '{"data": {}}', "content_type": "application/json"}, NotN8n),
    ({"status": 200, "response_data": '{"data": [1]}', "content_type": "application/json"}, NotN8n),
    ({"status": 404, "response_data": "<html>", "content_type": "text/html"}, NotN8n),
    ({"status": 302, "response_data": "", "headers": {"Location": "https://login.example.com/"}}, NotN8n),
]


@pytest.mark.parametrize(("answer", "expected"), ANSWERS)
def test_each_answer_means_one_error_with_words(
    client: N8nClient, httpserver: HTTPServer, session: Any, answer: dict[str, Any], expected: type[N8nError]
) -> None:
    options = dict(answer)
    if "response_json" in options:
        httpserver.expect_request("/api/v1/workflows").respond_with_json(options.pop("response_json"), **options)
    else:
        httpserver.expect_request("/api/v1/workflows").respond_with_data(**options)
    with pytest.raises(N8nError) as failed:
        client.list_workflows()
    assert type(failed.value) is expected
    sentence = describe_error(failed.value.code, failed.value.details)
    assert len(sentence) > 15
    assert "failed (" not in sentence, "each code has words of its own"


def test_the_message_of_a_refusal_and_the_body_of_a_forbidden_save_are_kept(client: N8nClient, httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/api/v1/workflows/w1").respond_with_json({"message": "no trigger"}, status=400)
    httpserver.expect_ordered_request("/api/v1/workflows/w1").respond_with_json({"message": "F", "versionId": "v2"}, status=403)
    with pytest.raises(Rejected) as refused:
        client.update_workflow("w1", {"name": "a"}, publish_if_active=True)
    assert (refused.value.message, refused.value.status) == ("no trigger", 400)
    with pytest.raises(Forbidden) as forbidden:
        client.update_workflow("w1", {"name": "a"}, publish_if_active=True)
    assert forbidden.value.body["versionId"] == "v2"


@pytest.mark.parametrize(
    ("header", "check"),
    [
        ("7", lambda seconds: seconds == 7),
        ("0", lambda seconds: seconds == 0),
        ("-3", lambda seconds: seconds == 0),
        ("999999", lambda seconds: seconds == 3600),
        ("soon", lambda seconds: seconds is None),
        ("nan", lambda seconds: seconds is None),
        ("", lambda seconds: seconds is None),
        (email.utils.format_datetime(utc_now() + dt.timedelta(days=1), usegmt=True), lambda seconds: seconds == 3600),
        (email.utils.format_datetime(utc_now() - dt.timedelta(days=1), usegmt=True), lambda seconds: seconds == 0),
        ("Sun, 06 Nov 1994 08:49:37 -0000", lambda seconds: seconds == 0),
    ],
    # Ids of their own: a header made of the present time has another name in each of several test processes.
    ids=["seconds", "zero", "negative", "too-long", "word", "nan", "empty", "tomorrow", "yesterday", "no-zone"],
)
def test_retry_after_is_seconds_or_a_date(
    client: N8nClient, httpserver: HTTPServer, header: str, check: Callable[[float | None], bool]
) -> None:
    httpserver.expect_request("/api/v1/workflows").respond_with_json({}, status=429, headers={"Retry-After": header})
    with pytest.raises(RateLimited) as limited:
        client.list_workflows()
    assert check(limited.value.retry_after)


def test_an_execution_that_n8n_counts_as_too_large_is_not_read(client: N8nClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v1/executions/5").respond_with_json({"id": "5", "jsonSizeBytes": 3_000_000})
    with pytest.raises(TooLarge) as large:
        client.get_execution("5", with_data=True, max_bytes=2_000_000)
    assert large.value.size == 3_000_000
    assert len(httpserver.log) == 1


def test_an_execution_of_unknown_size_is_cut_while_it_is_read(client: N8nClient, httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        data = "x" * 2_000_000 if request.args.get("includeData") == "true" else ""
        return Response('{"id": "5", "jsonSizeBytes": 0, "data": "' + data + '"}', content_type="application/json")

    httpserver.expect_request("/api/v1/executions/5").respond_with_handler(answer)
    with pytest.raises(TooLarge):
        client.get_execution("5", with_data=True, max_bytes=500_000)
    assert client.get_execution("5", with_data=True, max_bytes=2_500_000)["data"]


def test_update_sends_what_this_n8n_accepts_and_keeps_credentials(client: N8nClient, httpserver: HTTPServer) -> None:
    client.known_features = Features(
        publish_if_active=True,
        settings_keys=frozenset({"timezone"}),
        node_keys=frozenset({"id", "name", "credentials", "parameters"}),
        found_at=utc_now(),
    )
    document = {
        "id": "w1",
        "active": True,
        "name": "Orders",
        "description": None,
        "staticData": {"since": 1},
        "nodes": [{"id": "1", "name": "A", "credentials": {"api": {"id": "c1", "name": "C"}}, "color": "red"}],
        "connections": {},
        "settings": {"timezone": "UTC", "newer": True},
    }
    sent = {
        "name": "Orders",
        "nodes": [{"id": "1", "name": "A", "credentials": {"api": {"id": "c1", "name": "C"}}}],
        "connections": {},
        "settings": {"timezone": "UTC"},
    }
    httpserver.expect_request(
        "/api/v1/workflows/w1", method="PUT", query_string={"publishIfActive": "false"}, json=sent
    ).respond_with_json({"versionId": "v2"})
    assert client.update_workflow("w1", document, publish_if_active=False) == {"versionId": "v2"}


def test_older_n8n_get_the_calls_that_they_know(client: N8nClient, httpserver: HTTPServer) -> None:
    client.known_features = Features(version_path="plain", found_at=utc_now())
    httpserver.expect_request("/api/v1/workflows/w1/activate", json={"versionId": "v1"}).respond_with_json({"active": True})
    httpserver.expect_request("/api/v1/workflows/w1/v1").respond_with_json({"versionId": "v1"})
    httpserver.expect_request("/api/v1/workflows/w1", method="PUT", query_string={}).respond_with_json({"id": "w1"})
    assert client.publish_workflow("w1", "v1")["active"]
    assert client.get_workflow_version("w1", "v1")["versionId"] == "v1"
    assert client.update_workflow("w1", {"name": "a"}, publish_if_active=False)
    client.known_features = Features(found_at=utc_now())
    with pytest.raises(Missing):
        client.get_workflow_version("w1", "v1")


def test_ids_cannot_lead_to_another_path(client: N8nClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v1/workflows/..%2Fusers").respond_with_json({})
    with pytest.raises(N8nError):
        client.get_workflow("../users")
    assert httpserver.log[0][0].environ["REQUEST_URI"] == "/api/v1/workflows/..%2Fusers"


def test_a_closed_server_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = N8nClient(f"http://127.0.0.1:{port}", "k", open_session(EgressPolicy(loopback=True)))
    with client, pytest.raises(Unreachable) as unreachable:
        client.list_workflows()
    assert unreachable.value.code == "connect"


def test_a_deadline_is_a_time_out(httpserver: HTTPServer) -> None:
    release = threading.Event()

    def wait(_request: Request) -> Response:
        release.wait(10)
        return Response("{}", content_type="application/json")

    httpserver.expect_request("/api/v1/executions/5/retry").respond_with_handler(wait)
    with N8nClient(httpserver.url_for("/"), "k", open_session(EgressPolicy(loopback=True))) as client:
        with pytest.raises(TimedOut):
            client.retry_execution("5", load_workflow=True, timeout=0.2)
        release.set()


def test_a_refused_address_is_unreachable_with_the_reason() -> None:
    with N8nClient("http://10.0.0.1:5678", "k", open_session(EgressPolicy())) as client, pytest.raises(Unreachable) as refused:
        client.list_workflows()
    assert refused.value.code == "address-refused"
    assert refused.value.details["address"] == "10.0.0.1"
