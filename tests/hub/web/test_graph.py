from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask, render_template_string
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.workflows.graph import FARTHEST, Graph, NodeState, build_graph
from hub.workflows.node_types import describe_type

TEMPLATE = "{{ ui.workflow_graph(graph, 'Picture', links=links) }}"


def node(name: str, x: float = 0, y: float = 0, kind: str = "noOp", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": f"n8n-nodes-base.{kind}", "position": [x, y], "parameters": {}, **more}


def to(*names: str, kind: str = "main") -> list[dict[str, Any]]:
    return [{"node": name, "type": kind, "index": 0} for name in names]


def draw(app: Flask, graph: Graph, links: dict[str, str] | None = None) -> str:
    with app.test_request_context():
        return render_template_string(TEMPLATE, graph=graph, links=links)


def parse_svg(html: str) -> ElementTree.Element:
    """The SVG as XML: fails on anything that is not well formed."""
    found = re.search(r"<svg viewBox.*</svg>", html, re.DOTALL)
    assert found
    return ElementTree.fromstring(found[0].replace("&nbsp;", " "))


def test_an_edge_runs_from_the_right_side_to_the_left_side() -> None:
    graph = build_graph([node("A"), node("B", 300)], {"A": {"main": [to("B")]}})
    (edge,) = graph.edges
    assert edge.path.startswith("M96 48")
    assert edge.path.endswith("300 48")
    assert not edge.passed


def test_outputs_leave_at_their_own_height_and_say_their_name() -> None:
    nodes = [node("If", kind="if"), node("Yes", 300), node("No", 300, 200)]
    yes, no = build_graph(nodes, {"If": {"main": [to("Yes"), to("No")]}}).edges
    assert (yes.label, no.label) == ("true", "false")
    assert yes.path.startswith("M96 32")
    assert no.path.startswith("M96 64")


def test_the_output_for_errors_is_told_apart() -> None:
    nodes = [node("Call", onError="continueErrorOutput"), node("Ok", 300), node("Alarm", 300, 200)]
    ok, alarm = build_graph(nodes, {"Call": {"main": [to("Ok"), to("Alarm")]}}).edges
    assert (ok.kind, alarm.kind, alarm.label) == ("main", "error", "error")


def test_a_way_back_runs_beneath_both_nodes_and_inside_the_picture() -> None:
    graph = build_graph([node("A"), node("B", 300)], {"B": {"main": [to("A")]}})
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", graph.edges[0].path)]
    assert max(numbers[1::2]) > 96
    assert max(numbers[1::2]) < graph.y + graph.height


def test_parts_of_an_agent_are_connected_upwards() -> None:
    nodes = [node("Agent", 0, 0, kind="agent"), node("Model", 0, 300, kind="lmChatOpenAi")]
    graph = build_graph(nodes, {"Model": {"ai_languageModel": [to("Agent", kind="ai_languageModel")]}})
    assert graph.edges[0].kind == "part"
    assert [drawn.is_part for drawn in graph.nodes] == [False, True]


def test_notes_are_notes_without_their_markup() -> None:
    note = {"content": "## Read me\n**bold** and [a link](https://x.example)", "width": 300, "height": 200, "color": 4}
    graph = build_graph([node("Note", kind="stickyNote") | {"parameters": note}], {})
    assert graph.nodes == ()
    assert graph.notes[0].lines == ((True, "Read me"), (False, "bold and a link"))
    assert graph.notes[0].color == 4


def test_an_execution_marks_what_ran_failed_and_was_not_reached() -> None:
    nodes = [node("A"), node("B", 200), node("C", 400), node("D", 600, disabled=True)]
    states = {"A": NodeState("success", 1), "B": NodeState("failed", 2)}
    graph = build_graph(nodes, {"A": {"main": [to("B")]}, "B": {"main": [to("C")]}}, states)
    assert [drawn.status for drawn in graph.nodes] == ["success", "failed", "not-reached", "disabled"]
    assert [edge.passed for edge in graph.edges] == [True, False]


def test_nodes_on_the_same_spot_are_moved_apart() -> None:
    first, second = build_graph([node("A"), node("B")], {}).nodes
    assert (first.x, first.y) != (second.x, second.y)


def test_control_characters_do_not_reach_the_picture() -> None:
    assert build_graph([node("a\x00b\x1b")], {}).nodes[0].lines == ("a b",)


def test_names_are_escaped_in_pictures_links_and_notes(app: Flask) -> None:
    evil = '<script>alert("1")</script>&'
    nodes = [node(evil), node("N", kind="stickyNote") | {"parameters": {"content": "<img src=x onerror=alert(1)> & text"}}]
    html = draw(app, build_graph(nodes, {}), {evil: '/x?"><script>'})
    assert "<script>" not in html
    assert "<img" not in html
    parse_svg(html)


KEYS = st.sampled_from(["A", "B", "main", "node", "x", "index"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
NODES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["A", "B", "C"]) | JSON,
            "type": st.sampled_from(["n8n-nodes-base.stickyNote", "n8n-nodes-base.if", "x"]) | JSON,
            "position": JSON,
            "parameters": JSON,
            "disabled": JSON,
        },
    )
    | JSON,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(nodes=NODES, connections=JSON)
def test_any_document_gives_a_picture_of_finite_size(nodes: list[Any], connections: Any) -> None:
    graph = build_graph(nodes, connections)
    assert 0 < graph.width < 4 * FARTHEST
    assert 0 < graph.height < 4 * FARTHEST


def test_real_workflows_all_give_a_well_formed_picture(app: Flask, shared: Path) -> None:
    count = 0
    with gzip.open(shared / "data" / "n8n-workflows.jsonl.gz") as lines, app.test_request_context():
        template = app.jinja_env.from_string(TEMPLATE)
        for line in lines:
            workflow = json.loads(line)
            graph = build_graph(workflow["nodes"], workflow["connections"])
            svg = parse_svg(template.render(graph=graph, links=None))
            drawn = sum("node" in element.get("class", "").split() for element in svg.iter())
            assert drawn + len(graph.notes) == len(workflow["nodes"]), workflow["name"]
            count += 1
    assert count == 2060


@pytest.mark.parametrize(
    ("type_name", "label", "is_trigger"),
    [
        ("n8n-nodes-base.httpRequest", "HTTP Request", False),
        ("n8n-nodes-base.scheduleTrigger", "Schedule Trigger", True),
        ("n8n-nodes-base.set", "Edit Fields", False),
        ("@n8n/n8n-nodes-langchain.agent", "Agent", False),
        ("", "", False),
    ],
)
def test_types_have_readable_names(type_name: str, label: str, is_trigger: bool) -> None:
    kind = describe_type(type_name)
    assert (kind.label, kind.is_trigger) == (label, is_trigger)


def test_every_icon_is_in_the_sprite() -> None:
    """The sprite is built from tools/icons.txt; a name that is missing there draws nothing."""
    root = Path(__file__).resolve().parents[3]
    known = set((root / "tools" / "icons.txt").read_text().split())
    sources = [*root.glob("templates/**/*.html"), root / "hub/templating.py", root / "hub/workflows/node_types.py"]
    used = set()
    for source in sources:
        text = source.read_text()
        used |= set(re.findall(r"icon(?:_name)?[=(] ?'([a-z0-9-]+)'", text))
        used |= set(re.findall(r'(?:Status\("\w+", |NavigationItem\([^)]*\), )"([a-z0-9-]+)"', text))
        used |= set(re.findall(r'^    \("([a-z0-9-]+)", r"', text, re.MULTILINE))
    assert len(used) > 40
    assert used - known == set()
