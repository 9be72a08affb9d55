from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.executions.timeline import SHOWN_ITEMS, node_states, read_error, read_node, read_timeline

START = 1_795_362_769_048


def run(start: int = START, took: int = 5, **more: Any) -> dict[str, Any]:
    return {"startTime": start, "executionTime": took, "executionStatus": "success", "source": [], **more}


def items(*values: Any) -> dict[str, Any]:
    return {"main": [[{"json": value} for value in values]]}


RUN_DATA = {
    "Webhook": [run(data=items({"id": 1}, {"id": 2}))],
    "HTTP": [
        run(
            START + 10,
            90,
            executionStatus="error",
            error={"message": "Refused", "name": "NodeApiError"},
            source=[{"previousNode": "Webhook"}],
        )
    ],
}


def test_runs_stand_in_the_order_in_which_they_began() -> None:
    timeline = read_timeline(dict(reversed(RUN_DATA.items())))
    assert [(row.node, row.order, row.status, row.offset_ms, row.items_out) for row in timeline.runs] == [
        ("Webhook", 1, "success", 0, 2),
        ("HTTP", 2, "failed", 10, 0),
    ]
    assert timeline.total_ms == 100


def test_bars_stay_inside_the_picture_and_can_be_seen() -> None:
    timeline = read_timeline({"A": [run(took=0)], "B": [run(START + 5000, 0)]})
    for row in timeline.runs:
        start, width = timeline.bar(row)
        assert start >= 0
        assert width >= 5
        assert start + width <= 1000


def test_seconds_of_crash_records_are_not_taken_for_1970() -> None:
    timeline = read_timeline({"A": [run(START)], "B": [run(START // 1000 + 2, 0)]})
    assert timeline.total_ms < 5000


def test_a_node_that_ran_often_keeps_its_first_place_and_last_state() -> None:
    states = node_states(read_timeline({"Loop": [run(), run(START + 10, error={"message": "x"})], "End": [run(START + 20)]}))
    assert (states["Loop"].order, states["Loop"].runs, states["Loop"].status) == (1, 2, "failed")
    assert states["End"].order == 3


def test_the_input_of_a_node_is_the_output_that_fed_it() -> None:
    data = read_node(RUN_DATA, {"nodes": [{"name": "HTTP", "parameters": {"url": "x"}}]}, "HTTP", None)
    assert data is not None
    (fed,) = data.inputs
    assert (fed.label, fed.items, fed.count) == ("Webhook", ({"id": 1}, {"id": 2}), 2)
    assert data.outputs == ()
    assert data.error is not None
    assert data.error.message == "Refused"
    assert data.parameters == {"url": "x"}


def test_a_node_that_was_not_reached_has_no_data() -> None:
    assert read_node(RUN_DATA, {"nodes": []}, "Nowhere", None) is None


def test_many_items_are_counted_and_cut() -> None:
    data = read_node({"A": [run(data=items(*range(300)))]}, {}, "A", 7)
    assert data is not None
    assert (data.outputs[0].count, len(data.outputs[0].items), data.run) == (300, SHOWN_ITEMS, 0)


def test_of_files_only_what_they_are_is_shown() -> None:
    item = {"json": {"a": 1}, "binary": {"file": {"mimeType": "image/png", "data": "SECRETBYTES"}}}
    data = read_node({"A": [run(data={"main": [[item]]})]}, {}, "A", None)
    assert data is not None
    assert data.outputs[0].items == ({"a": 1, "(binary)": {"file": {"mimeType": "image/png"}}},)


def test_an_error_is_read_as_plain_words() -> None:
    error = read_error(
        {
            "message": "n8n may have run out of memory <a href='https://docs'>in the docs</a> &amp; more",
            "httpCode": "429",
            "node": {"name": "HTTP"},
            "messages": ["429 - slow down", None],
        }
    )
    assert error is not None
    assert error.message == "n8n may have run out of memory in the docs & more"
    assert (error.code, error.node, error.answers) == ("429", "HTTP", ("429 - slow down",))
    assert read_error(None) is None
    assert read_error({"message": "if a < b then"}) is not None


KEYS = st.sampled_from(["main", "json", "binary", "data", "source", "error", "startTime", "previousNode", "A"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["main", "json", "binary", "data", "source", "error", "startTime", "previousNode", "A"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=300, deadline=None)
@given(run_data=st.dictionaries(st.sampled_from(["A", "B"]), JSON, max_size=2), workflow=st.dictionaries(st.just("nodes"), JSON))
def test_whatever_the_data_holds_it_can_be_read(run_data: dict[str, Any], workflow: dict[str, Any]) -> None:
    timeline = read_timeline(run_data)
    assert len(node_states(timeline)) <= len(run_data)
    read_node(run_data, workflow, "A", 1)
    read_error(run_data.get("A"))


def test_real_executions_can_all_be_read(shared: Path) -> None:
    files = sorted((shared / "n8n-samples").glob("[0-9]*.json"))
    assert len(files) > 100
    for file in files:
        document = json.loads(file.read_text())
        result = document["data"].get("resultData", {})
        timeline = read_timeline(result.get("runData", {}))
        assert len(timeline.runs) == sum(len(runs) for runs in result.get("runData", {}).values())
        for name in result.get("runData", {}):
            assert read_node(result["runData"], document["workflowData"], name, None) is not None
        if document["status"] == "error":
            assert read_error(result["error"]) is not None, file.name
