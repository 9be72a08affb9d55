"""Runs in words, in the reader's language: why nothing came back, and what each assertion and extraction found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from hub.egress import describe_egress_error
from hub.http_builder.models import RequestRun, RunState
from hub.http_builder.rendering import Problem
from hub.http_builder.rendering.words import describe_problem, describe_token_error
from hub.http_builder.running.values import SecretLost

_STATES: dict[RunState, Any] = {
    RunState.QUEUED: lazy_gettext("Queued"),
    RunState.RUNNING: lazy_gettext("Under way"),
    RunState.DONE: lazy_gettext("Answered"),
    RunState.FAILED: lazy_gettext("No answer"),
    RunState.REFUSED: lazy_gettext("Not sent"),
    RunState.INTERRUPTED: lazy_gettext("Interrupted"),
    RunState.CANCELED: lazy_gettext("Canceled"),
}

_PROBLEMS: dict[str, Any] = {
    "not-json": lazy_gettext("The answer is not JSON."),
    "bad-path": lazy_gettext("This is no JSONPath. Write one such as $.items[0].id."),
    "bad-pattern": lazy_gettext("This is no regular expression."),
    "too-long": lazy_gettext("The expression is longer than 1000 characters."),
    "too-slow": lazy_gettext("The search took too long and was given up."),
    "no-match": lazy_gettext("Nothing stands there."),
    "no-number": lazy_gettext("What stands there is no number."),
    "bad-expected": lazy_gettext("The expected value does not fit: write a number, or for a status 200, 2xx or 200,201."),
    "bad-name": lazy_gettext("The variable's name is not valid: use letters, digits, _ . and -."),
    "value-too-long": lazy_gettext("The value is too long for a variable."),
}

_COMPARISONS: dict[str, Any] = {
    "equals": lazy_gettext("%(subject)s is %(expected)s"),
    "not-equals": lazy_gettext("%(subject)s is not %(expected)s"),
    "contains": lazy_gettext("%(subject)s contains %(expected)s"),
    "matches": lazy_gettext("%(subject)s matches %(expected)s"),
    "less-than": lazy_gettext("%(subject)s is less than %(expected)s"),
    "greater-than": lazy_gettext("%(subject)s is greater than %(expected)s"),
    "exists": lazy_gettext("%(subject)s is there"),
    "missing": lazy_gettext("%(subject)s is not there"),
}


_CHAIN_STATES: dict[RunState, Any] = {
    **_STATES,
    RunState.DONE: lazy_gettext("Done"),
    RunState.FAILED: lazy_gettext("Stopped at a failure"),
}


def name_chain_state(state: RunState) -> str:
    """The state of a chain's run."""
    return str(_CHAIN_STATES[state])


def name_state(state: RunState) -> str:
    """A run's state."""
    return str(_STATES[state])


def describe_run_error(run: RequestRun) -> list[str]:
    """Why a run has no answer: one sentence for each reason, none where it has one."""
    if run.state is RunState.INTERRUPTED:
        return [_("The hub was stopped while the request was under way. Whether it arrived is not known; it is not sent again.")]
    if run.state is RunState.CANCELED:
        return [_("The request was cancelled.")]
    return describe_error(run.error) if run.error else []


def describe_error(error: Mapping[str, Any]) -> list[str]:
    """The sentences for what is stored as a run's error."""
    code, details = str(error["code"]), error.get("details") or {}
    match code:
        case "not-ready":
            return [describe_problem(Problem(each["place"], each["code"], each["details"])) for each in details["problems"]]
        case "secret-lost":
            return [SecretLost(details["name"]).message]
        case "inputs-lost":
            return [_("The secrets that were typed cannot be opened any more. Send the request again.")]
        case "token":
            return [describe_token_error(details["code"], details["details"])]
        case "internal":
            return [_("The hub failed on this request. The worker's log says why.")]
    return [describe_egress_error(code, details) or code]


def describe_problem_of_check(code: str) -> str:
    """Why an assertion or an extraction could not be made."""
    return str(_PROBLEMS.get(code, code))


def describe_assertion(result: Mapping[str, Any]) -> str:
    """What an assertion demands, such as "Status is 200"."""
    words = _COMPARISONS.get(result["comparison"], "%(subject)s %(expected)s")
    return str(words) % {"subject": _name_subject(result), "expected": result["expected"]}


def describe_found(result: Mapping[str, Any]) -> str:
    """What was found instead, or why nothing could be; empty where the assertion holds."""
    if result["passed"]:
        return ""
    if result["problem"]:
        return describe_problem_of_check(result["problem"])
    return _("Found: %(found)s", found=result["found"]) if result["found"] is not None else _("Nothing stands there.")


def _name_subject(result: Mapping[str, Any]) -> str:
    match result["subject"]:
        case "status":
            return _("Status")
        case "time":
            return _("Time in milliseconds")
        case "size":
            return _("Size in bytes")
        case "text":
            return _("The body")
        case "header":
            return _("Header %(name)s", name=result["path"])
    return str(result["path"])
