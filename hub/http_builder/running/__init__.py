"""Sending requests: runs with their values, their history, assertions, extraction and chains.

Whoever wants to send uses ``start_run`` (the worker sends) or ``run_now`` (this process does).
"""

from hub.http_builder.running.runs import RunRow, cancel_run, get_body, get_run, last_run, list_runs, start_run
from hub.http_builder.running.values import SecretLost, values_for
from hub.http_builder.running.view import RunView, view_run
from hub.http_builder.running.words import describe_run_error
from hub.http_builder.running.worker import run_now

__all__ = [
    "RunRow",
    "RunView",
    "SecretLost",
    "cancel_run",
    "describe_run_error",
    "get_body",
    "get_run",
    "last_run",
    "list_runs",
    "run_now",
    "start_run",
    "values_for",
    "view_run",
]
