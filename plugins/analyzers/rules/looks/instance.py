"""Looks closer at failures of the instance or its set-up: credentials, runners, access, memory."""

from __future__ import annotations

import re

from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.rule import Finding


def module(case: Case) -> Finding:
    """The module that the code asks for."""
    shown = re.search(r"(?:Module|module) '([^']+)'|^(\w+) is not defined", case.error.message)
    return Finding(words={"module": shown.group(1) or shown.group(2) if shown else "?"})


def workflow_timeout(case: Case) -> Finding | None:
    """A cancelled run without any error: n8n stops it so when the workflow's own time is over."""
    if case.evidence.status != "canceled" or case.error.message or case.error.withheld:
        return None
    return Finding(certainty=1.0 if case.evidence.workflow["settings"].get("executionTimeout") else 0.7)


def withheld(case: Case) -> Finding | None:
    """An error of which n8n tells nothing."""
    return Finding() if case.error.withheld and not case.error.code else None
