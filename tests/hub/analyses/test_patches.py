"""What a patch may do: each forbidden place refused, moved nodes found, credentials never touched."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.analyses.differences import change_digest, find_differences
from hub.analyses.patch_policy import PatchRefused
from hub.analyses.patches import apply_change, content_hash, document_of, matches_hidden, same_document
from hub.redaction import redact
from tests.hub.analyses.fake_n8n import make_workflow

Json = dict[str, Any]


def op(path: str, value: Any = None, kind: str = "replace", **more: Any) -> Json:
    operation = {"op": kind, "path": path, **more}
    return operation if kind == "remove" else {**operation, "value": value}


def refused(*operations: Json, current: Json | None = None, base: Json | None = None) -> str:
    workflow = current or make_workflow()
    with pytest.raises(PatchRefused) as caught:
        apply_change(list(operations), base=base or document_of(workflow), current=workflow)
    return caught.value.code


FORBIDDEN = [
    ("removes-node", [op("/nodes/2", kind="remove")]),
    ("outside", [op("/name", "Other")]),
    ("closed-field", [op("/nodes/1/credentials/httpHeaderAuth/id", "8")]),
    ("closed-field", [op("/nodes/1/credentials", kind="remove")]),
    ("closed-field", [op("/nodes/1/id", "9")]),
    ("closed-field", [op("/nodes/1/name", "Other")]),
    ("closed-field", [op("/nodes/1/type", "n8n-nodes-base.executeCommand")]),
    ("closed-field", [op("/nodes/1/disabled", True, "add")]),
    ("closed-field", [op("/nodes/1/continueOnFail", True, "add")]),
    ("closed-field", [op("/nodes/1/position", [1, 1])]),
    ("closed-field", [op("/nodes/0/webhookId", "other")]),
    ("closed-field", [op("/nodes/0/parameters/path", "other")]),
    ("closed-field", [op("/nodes/1/parameters/authentication", "none", "add")]),
    ("closed-field", [op("/nodes/1/parameters/options/allowUnauthorizedCerts", True, "add")]),
    ("closed-field", [op("/nodes/1/parameters", "text")]),
    ("hides-error", [op("/nodes/1/onError", "continueRegularOutput", "add")]),
    ("hides-error", [op("/nodes/1/onError", "continueErrorOutput", "add")]),
    ("new-host", [op("/nodes/1/parameters/url", "https://evil.example/")]),
    ("new-host", [op("/nodes/1/parameters/url", "http://127.0.0.1:9@evil.example/")]),
    ("new-host", [op("/nodes/2/parameters/value", "={{ $http.get('https://evil.example') }}")]),
    ("new-host", [op("/nodes/1/parameters/url", "=https://{{ 'evil' + '.example' }}/")]),
    ("new-host", [op("/nodes/1/parameters/url", "={{ 'https:' + '//' + 'evil.example' }}")]),
    ("new-host", [op("/nodes/1/parameters/url", "https://évil.example/")]),
    ("new-host", [op("/nodes/1/parameters/url", "http://127.0.0.1.evil.example/")]),
    ("hidden-value", [op("/nodes/1/parameters/url", "http://127.0.0.1:9/customers?api_key=<SECRET_1>")]),
    ("private-values", [op("/nodes/2/parameters/value", "={{ $env.DATABASE_PASSWORD }}")]),
    ("reaches-out", [op("/nodes/2/parameters/jsCode", "return require('fs').readFileSync('/etc/passwd')", "add")]),
    ("unbalanced", [op("/nodes/2/parameters/value", "={{ $json.name }")]),
    ("unbalanced", [op("/nodes/2/parameters/value", "={{ {a: {b: $json.name}} }}")]),
    ("settings", [op("/settings/errorWorkflow", "x", "add")]),
    ("settings", [op("/settings/executionOrder", kind="remove")]),
    ("adds-node", [op("/nodes/-", {"name": "Sh", "type": "n8n-nodes-base.executeCommand", "parameters": {}}, "add")]),
    ("adds-node", [op("/nodes/-", {"name": "Code", "type": "n8n-nodes-base.code", "parameters": {}}, "add")]),
    (
        "adds-node",
        [op("/nodes/-", {"name": "S", "type": "n8n-nodes-base.set", "parameters": {}, "credentials": {"a": {"id": "1"}}}, "add")],
    ),
    ("double-name", [op("/nodes/-", {"name": "Fetch", "type": "n8n-nodes-base.set", "parameters": {}}, "add")]),
    ("connections", [op("/connections/Store", {"main": [[{"node": "Nobody", "type": "main", "index": 0}]]}, "add")]),
    ("connections", [op("/connections/Nobody", {"main": [[]]}, "add")]),
    ("outside", [op("/staticData", {"x": 1}, "add")]),
    ("outside", [op("/active", True, "add")]),
    ("no-change", [op("/nodes/2/parameters/value", "={{ $json.name }}")]),
    ("malformed", []),
    ("malformed", [{"op": "explode", "path": "/nodes/1"}]),
    ("malformed", [{"op": "add", "path": "nodes/1", "value": 1}]),
    ("test-failed", [op("/nodes/2/parameters/value", "x"), op("/nodes/2/parameters/value", "y", "test")]),
    ("node-gone", [op("/nodes/7/parameters/value", "x")]),
]


@pytest.mark.parametrize(("code", "operations"), FORBIDDEN)
def test_forbidden_places(code: str, operations: list[Json]) -> None:
    assert refused(*operations) == code


def test_the_braces_of_json_around_an_expression_are_no_fault() -> None:
    body = '={"a": {"b": {{ $json.name }}}}'
    workflow = make_workflow()
    changed = apply_change([op("/nodes/2/parameters/value", body)], base=document_of(workflow), current=workflow)
    assert changed.document["nodes"][2]["parameters"]["value"] == body


def test_a_forbidden_change_in_the_disguise_of_a_move() -> None:
    steal = {"op": "copy", "from": "/nodes/1/credentials", "path": "/nodes/2/credentials"}
    assert refused(steal) == "closed-field"
    swap = {"op": "move", "from": "/nodes/1/credentials", "path": "/nodes/1/parameters/credentials"}
    assert refused(swap) == "closed-field"


def test_an_allowed_change_keeps_everything_else() -> None:
    workflow = make_workflow()
    change = apply_change([op("/nodes/1/retryOnFail", True, "add")], base=document_of(workflow), current=workflow)
    assert change.changed_nodes == ("Fetch",)
    expected = document_of(workflow)
    expected["nodes"][1]["retryOnFail"] = True
    assert change.document == expected
    assert set(change.document) == {"name", "nodes", "connections", "settings"}


def test_host_that_the_workflow_knows_may_be_used() -> None:
    workflow = make_workflow()
    patch = [op("/nodes/1/parameters/url", "http://127.0.0.1:9/customers")]
    assert apply_change(patch, base=document_of(workflow), current=workflow).changed_nodes == ("Fetch",)


def test_a_scheme_may_be_put_before_an_expression_that_gives_the_host() -> None:
    workflow = make_workflow()
    workflow["nodes"][1]["parameters"]["url"] = "={{ $json.host }}/price"
    url = "=http://{{ $json.host }}/price"
    assert apply_change([op("/nodes/1/parameters/url", url)], base=document_of(workflow), current=workflow)
    for other in ("=http://{{ $json.other }}/price", "=http://{{ $json.host }}/else", "=ftp://{{ $json.host }}/price"):
        assert refused(op("/nodes/1/parameters/url", other), current=workflow) == "new-host", other


def test_braces_of_a_json_text_may_follow_an_expression() -> None:
    text = '={"a": {"b": {{ $json.name }}}}'
    assert apply_change([op("/nodes/2/parameters/value", text)], base=document_of(make_workflow()), current=make_workflow())


def test_a_plain_node_may_be_added_and_connected() -> None:
    workflow = make_workflow()
    node = {"name": "Answer", "type": "n8n-nodes-base.respondToWebhook", "typeVersion": 1, "parameters": {}, "position": [6, 0]}
    link = {"main": [[{"node": "Answer", "type": "main", "index": 0}]]}
    patch = [op("/nodes/-", node, "add"), op("/connections/Store", link, "add")]
    change = apply_change(patch, base=document_of(workflow), current=workflow)
    assert change.changed_nodes == ("Answer", "Store")
    assert set(change.cautions) == {"adds-node", "rewires"}


# --- On the document as it is now --------------------------------------------------------------------------------------


def test_nodes_that_moved_are_found_by_name() -> None:
    seen, now = make_workflow(), make_workflow()
    now["nodes"].reverse()
    change = apply_change([op("/nodes/2/parameters/value", "={{ $json.body.name }}")], base=document_of(seen), current=now)
    assert change.document["nodes"][0]["parameters"]["value"] == "={{ $json.body.name }}"
    assert change.patch[0]["path"] == "/nodes/0/parameters/value"


def test_a_value_that_changed_since_is_not_overwritten() -> None:
    seen, now = make_workflow(), make_workflow()
    now["nodes"][2]["parameters"]["value"] = "theirs"
    assert refused(op("/nodes/2/parameters/value", "mine"), base=document_of(seen), current=now) == "changed-since"


def test_a_key_that_somebody_added_since_is_not_overwritten() -> None:
    seen, now = make_workflow(), make_workflow()
    now["nodes"][1]["retryOnFail"] = False
    assert refused(op("/nodes/1/retryOnFail", True, "add"), base=document_of(seen), current=now) == "changed-since"


def test_patches_made_against_redacted_evidence() -> None:
    now = make_workflow()
    seen = redact(document_of(now)).value
    assert "INLINESECRET" not in seen["nodes"][1]["parameters"]["url"]
    hidden = op("/nodes/1/parameters/url", seen["nodes"][1]["parameters"]["url"], "test")
    change = apply_change([hidden, op("/nodes/1/retryOnFail", True, "add")], base=seen, current=now)
    assert change.document["nodes"][1]["parameters"]["url"].endswith("INLINESECRET99")
    corrected = seen["nodes"][1]["parameters"]["url"].replace("custmers", "customers")
    assert refused(op("/nodes/1/parameters/url", corrected), base=seen, current=now) == "hidden-value"


def test_a_hidden_value_does_not_excuse_a_change_beside_it() -> None:
    now = make_workflow()
    seen = redact(document_of(now)).value
    now["nodes"][1]["parameters"]["url"] = "http://127.0.0.1:9/orders?api_key=INLINESECRET99"
    assert refused(op("/nodes/1/parameters/url", "http://127.0.0.1:9/"), base=seen, current=now) == "changed-since"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_without_tokens_hidden_equality_is_equality(value: Any) -> None:
    assert matches_hidden(value, copy.deepcopy(value))
    assert not matches_hidden(value, [value, "x"])


# --- Shown and agreed to ----------------------------------------------------------------------------------------------


def test_difference_of_a_text_is_shown_line_by_line() -> None:
    workflow = make_workflow()
    before = document_of(workflow)
    before["nodes"][2]["parameters"]["jsCode"] = "a\nb\nc"
    after = copy.deepcopy(before)
    after["nodes"][2]["parameters"]["jsCode"] = "a\nB\nc"
    after["nodes"][1]["retryOnFail"] = True
    found = [(d.node, d.path, [line.mark + line.text for line in d.lines]) for d in find_differences(before, after)]
    assert found == [("Fetch", "retryOnFail", ["+true"]), ("Store", "jsCode", [" a", "-b", "+B", " c"])]


def test_difference_of_connections_names_both_ends() -> None:
    before = document_of(make_workflow())
    after = copy.deepcopy(before)
    after["connections"]["Webhook"]["main"][0][0]["node"] = "Store"
    (found,) = find_differences(before, after)
    assert [line.mark + line.text for line in found.lines] == ["-main 0 → Fetch (main 0)", "+main 0 → Store (main 0)"]


def test_digest_binds_patch_version_and_content() -> None:
    patch = [op("/nodes/1/retryOnFail", True, "add")]
    known = change_digest(patch, "v1", "hash")
    assert known == change_digest([dict(reversed(patch[0].items()))], "v1", "hash")
    others = [change_digest([*patch, *patch], "v1", "hash"), change_digest(patch, "v2", "hash"), change_digest(patch, "v1", "h")]
    assert known not in others


def test_content_hash_ignores_what_a_put_cannot_change() -> None:
    one, other = make_workflow(), make_workflow()
    other.update(updatedAt="later", versionId="v7", tags=[{"name": "x"}])
    assert content_hash(one) == content_hash(other)
    assert same_document(one, other)
    other["nodes"][0]["parameters"]["x"] = 1
    assert content_hash(one) != content_hash(other)
