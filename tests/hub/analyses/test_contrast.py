"""What was different when the workflow last worked."""

from __future__ import annotations

from typing import Any

import pytest

from hub.analyses.contrast import compare_items, compare_workflows
from hub.analyses.contrast_words import describe_contrast
from hub.analyses.evidence import build_evidence
from hub.contracts.analysis import Evidence, LastSuccess
from tests.hub.analyses.test_evidence import ERROR, execution, link, node, run, workflow


def items(before: Any, after: Any) -> list[tuple[str, str, str | None, str | None]]:
    return [(change.kind, change.path, change.was, change.now) for change in compare_items([before], [after])]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"a": 1}, {"a": 2}, []),
        ({"a": 1}, {"a": "1"}, [("type", "a", "number", "text")]),
        ({"customer_name": "x"}, {"customerName": "y"}, [("renamed", "customer_name", "text", "customerName")]),
        ({"a": 1, "zip": "x"}, {"a": 1}, [("gone", "zip", "text", None)]),
        ({"a": 1}, {"a": 1, "zip": "x"}, [("new", "zip", None, "text")]),
        ({"user": {"name": "x"}}, {}, [("gone", "user", "object", None)]),
        ({"rows": [{"id": 1}]}, {"rows": [{"id": "1"}]}, [("type", "rows[].id", "number", "text")]),
        ({"a": None}, {"a": 3}, [("type", "a", "null", "number")]),
    ],
)
def test_fields(before: Any, after: Any, changes: list[Any]) -> None:
    assert items(before, after) == changes


def changes_of(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    return [(change.kind, change.node, change.place) for change in compare_workflows(before, after)]


def test_the_same_workflow_has_no_changes() -> None:
    assert changes_of(workflow(), workflow()) == []


def test_a_default_that_n8n_wrote_and_a_hidden_value_are_no_changes() -> None:
    ran = workflow(
        nodes=[node("Hook", "webhook", notice=""), node("Call", "httpRequest", url="https://a.example/x?key=<SECRET_1>")]
    )
    now = workflow(nodes=[node("Hook", "webhook"), node("Call", "httpRequest", url="https://a.example/x?key=QWERTY123456")])
    assert changes_of(ran, now) == []


def test_nodes_parameters_connections_and_settings() -> None:
    before = workflow(nodes=[node("Hook", "webhook"), node("Call", "httpRequest", url="a"), node("Old", "set")])
    after = workflow(
        nodes=[{**node("Start", "webhook"), "id": "Hook"}, node("Call", "httpRequest", url="b"), node("New", "set")],
        connections=link("Start", "Call", "New"),
        settings={"timezone": "Asia/Riyadh"},
    )
    assert changes_of(before, after) == [
        ("node-renamed", "Hook", "Start"),
        ("node-removed", "Old", ""),
        ("node-added", "New", ""),
        ("parameter", "Call", "url"),
        ("connections", "Call", ""),
        ("settings", None, "timezone"),
    ]


def evidence_beside(success: dict[str, Any] | None) -> Evidence:
    given = execution(ERROR, {"Hook": [run([{"mail": "x"}])]}, [{"data": {"main": [[{"json": {"mail": "x"}}]]}}])
    return build_evidence(given, success=success)


def success(item: dict[str, Any], **changes: Any) -> dict[str, Any]:
    runs = {"Hook": [run([item])], "Call": [run([{"ok": True}, {"ok": True}], source=[{"previousNode": "Hook"}])]}
    return {**execution(None, runs), "id": "6", "status": "success", "startedAt": "2026-11-01T00:00:00Z", **changes}


def test_the_failing_nodes_input_is_compared() -> None:
    last = evidence_beside(success({"email": "x"})).last_success
    assert last is not None
    assert (last.execution_id, last.compared, last.input_count, last.output_count) == ("6", True, 1, 2)
    assert [(change.kind, change.path, change.now) for change in last.input_changes] == [("renamed", "email", "mail")]


def test_a_success_without_data_still_dates_the_last_success() -> None:
    last = evidence_beside({"id": "6", "startedAt": "2026-11-01T00:00:00Z"}).last_success
    assert last == LastSuccess(execution_id="6", started_at="2026-11-01T00:00:00Z")


def test_field_names_that_are_secrets_do_not_stay() -> None:
    key = "sk-" + "proj-" + "Ab3" * 12
    assert key not in evidence_beside(success({key: 1})).model_dump_json()


def test_stored_evidence_of_before_still_loads() -> None:
    stored = evidence_beside(None).model_dump(mode="json")
    del stored["last_success"], stored["child"]
    assert Evidence.model_validate(stored).last_success is None


def test_each_change_has_its_words(app: Any) -> None:
    last = evidence_beside(
        success(
            {"email": "x", "n": 1}, workflowData=workflow(nodes=[node("Hook", "webhook"), node("Call", "httpRequest", url="b")])
        )
    ).last_success
    assert last is not None
    with app.test_request_context():
        assert describe_contrast(last) == [
            "In node ‘Call’, ‘url’ was changed.",
            "The input's field ‘email’ is now called ‘mail’.",
            "The input has no field ‘n’ any more (it was a number).",
        ]
