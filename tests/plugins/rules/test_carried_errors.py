"""An error that a node handed on as data is judged where it arose."""

from __future__ import annotations

from typing import Any

from tests.plugins.rules.failures import failure, judge, node, pairs, patched

ERROR = {"error": {"message": '400 - "{\\"message\\": \\"email is required\\"}"', "status": 400}}


def handed_on(item: dict[str, Any], on_error: str) -> Any:
    request = node("Fetch", "httpRequest", 4.2, method="POST", url="https://api.example", sendBody=True)
    request["parameters"]["bodyParameters"] = pairs(mail="a@b.example")
    request["onError"] = on_error
    return failure("stopAndWait", "It failed", {}, before=[(request, [item])])


def test_the_node_that_went_on_is_to_blame() -> None:
    evidence = handed_on(ERROR, "continueRegularOutput")
    diagnosis = judge(evidence)
    assert (diagnosis.source, diagnosis.node) == ("http-bad-request", "Fetch")
    nodes = patched(evidence, diagnosis)
    assert nodes is not None
    assert nodes["Fetch"]["parameters"]["bodyParameters"]["parameters"][0]["name"] == "email"


def test_an_error_among_other_fields_is_data() -> None:
    assert judge(handed_on({**ERROR, "id": 1}, "continueRegularOutput")).node == "Step"


def test_an_error_on_its_own_output_is_dealt_with() -> None:
    assert judge(handed_on(ERROR, "continueErrorOutput")).node == "Step"
