"""Paging without end, short limits of a workflow, and calls inside of a sub-workflow."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.plugin_api import Evidence
from tests.plugins.rules.failures import failure, http, judge, node, patched

SAME_ANSWER = "The returned response was identical 5x, so requests got stopped"


def paged(paging: dict[str, Any], after: list[dict[str, Any]] | None = None) -> dict[str, Any] | None:
    """The paging of a request after its repair, None without one."""
    evidence = http(
        None,
        SAME_ANSWER,
        options={"pagination": {"pagination": paging}},
        before=[(node("Start", "set"), [{}])],
        after=after or [],
    )
    nodes = patched(evidence, judge(evidence))
    return nodes["Step"]["parameters"]["options"]["pagination"]["pagination"] if nodes else None


def counting(end: str) -> dict[str, Any]:
    pages = {"parameters": [{"type": "qs", "name": "page", "value": "={{ $pageCount + 1 }}"}]}
    return {"parameters": pages, "paginationCompleteWhen": "other", "completeExpression": end}


def test_a_cursor_of_the_answer_replaces_a_page_number() -> None:
    paging = paged(counting("={{ !$response.body.next_cursor }}"))
    assert paging is not None
    assert paging["parameters"]["parameters"] == [{"type": "qs", "name": "cursor", "value": "={{ $response.body.next_cursor }}"}]


def test_without_a_cursor_the_pages_stay_numbers() -> None:
    assert paged(counting("={{ $response.body.last }}")) is None


@pytest.mark.parametrize(
    ("after", "end"),
    [
        ([node("Each", "splitOut", fieldToSplitOut="articles")], "={{ !$response.body.articles?.length }}"),
        ([node("Each", "splitOut", fieldToSplitOut="={{ $json.x }}")], None),
        ([], None),
    ],
)
def test_an_answer_that_is_never_empty_ends_with_its_list(after: list[dict[str, Any]], end: str | None) -> None:
    paging = paged({"paginationCompleteWhen": "responseIsEmpty"}, after)
    assert (paging or {}).get("completeExpression") == end


def stopped(limit: int | None) -> Evidence:
    evidence = failure("httpRequest", status="canceled")
    settings = {} if limit is None else {"executionTimeout": limit}
    return evidence.model_copy(update={"workflow": {**evidence.workflow, "settings": settings}})


@pytest.mark.parametrize(("limit", "raised"), [(2, 60), (600, None), (None, None)])
def test_a_limit_of_seconds_is_raised(limit: int | None, raised: int | None) -> None:
    diagnosis = judge(stopped(limit))
    assert diagnosis.source == "workflow-timeout"
    changes = [operation for entry in diagnosis.suggestions for operation in entry.patch or () if operation["op"] == "replace"]
    assert [(change["path"], change["value"]) for change in changes] == (
        [("/settings/executionTimeout", raised)] if raised else []
    )


@pytest.mark.parametrize(("method", "repeats"), [("GET", True), ("POST", False)])
def test_a_child_is_called_again_where_it_only_reads(method: str, repeats: bool) -> None:
    child = {"nodes": [node("Called", "executeWorkflowTrigger"), node("Read", "httpRequest", 4.2, method=method)]}
    evidence = failure("executeWorkflow", "Service unavailable - try again later", {"workflowJson": json.dumps(child)})
    nodes = patched(evidence, judge(evidence))
    assert (nodes is not None and nodes["Step"].get("retryOnFail") is True) == repeats
