"""Every cause that a rule names has a page to read more, and the answer carries it."""

from __future__ import annotations

from hub.plugin_api import Cause, ErrorFacts, Evidence
from plugins.analyzers.rules.analyzer import RulesAnalyzer
from plugins.analyzers.rules.catalogue import RULES
from plugins.analyzers.rules.documentation import DOCUMENTATION


def test_every_rule_has_a_page() -> None:
    assert {rule.cause for rule in RULES} - {Cause.UNKNOWN} <= DOCUMENTATION.keys()
    assert all(
        address.startswith(("https://docs.n8n.io/", "https://developer.mozilla.org/")) for address in DOCUMENTATION.values()
    )


def test_the_answer_names_the_page() -> None:
    workflow = {"name": "W", "nodes": [{"name": "Get", "type": "n8n-nodes-base.httpRequest"}], "connections": {}, "settings": {}}
    error = ErrorFacts(class_name="NodeApiError", code="429", message="The service is receiving too many requests from you")
    diagnosis = RulesAnalyzer().diagnose(Evidence(status="error", error=error, failing_node="Get", workflow=workflow))
    assert diagnosis is not None
    assert diagnosis.documentation == DOCUMENTATION[Cause.RATE_LIMITED]
