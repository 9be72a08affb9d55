"""Whether a key works, in words, from the run of a service's test request."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from hub.http_builder.models import RequestRun, RunState
from hub.http_builder.running import describe_run_error


@dataclass(frozen=True, slots=True)
class KeyVerdict:
    """``tone``: good, bad, warn, or info while the test is under way."""

    tone: str
    title: str
    text: str = ""
    is_under_way: bool = False


def judge_key(run: RequestRun) -> KeyVerdict:
    """The verdict on a test that was sent, is being sent, or could not be."""
    if run.state in (RunState.QUEUED, RunState.RUNNING):
        return KeyVerdict("info", _("Testing…"), is_under_way=True)
    if run.state is RunState.DONE:
        return _judge_answer(run)
    if run.state is RunState.CANCELED:
        return KeyVerdict("info", _("The test was canceled."))
    if run.state is RunState.INTERRUPTED:
        return KeyVerdict("warn", _("Not tested"), _("The worker was interrupted. Test again."))
    title = _("Not tested") if run.state is RunState.REFUSED else _("No answer")
    return KeyVerdict("warn", title, " ".join(describe_run_error(run)))


def _judge_answer(run: RequestRun) -> KeyVerdict:
    status = run.status_code or 0
    if status == 401:
        return KeyVerdict(
            "bad",
            _("The key does not work"),
            _("The service answered 401: it does not know the key. Check that it is whole and not revoked."),
        )
    if status == 403:
        text = _(
            "The service answered 403: it knows the key, but it may not do this. Give the key more rights, or take another one."
        )
        return KeyVerdict("bad", _("The key may not do this"), text)
    if status == 429:
        return KeyVerdict("warn", _("Not clear"), _("The service answered 429: too many requests. Test again in a minute."))
    if status >= 500:
        return KeyVerdict(
            "warn",
            _("Not clear"),
            _("The service answered %(status)s: it has a fault of its own. Test again later.", status=status),
        )
    if run.passed is not False and 200 <= status < 300:
        return KeyVerdict("good", _("The key works"), _("The service answered %(status)s.", status=status))
    failed = next((each for each in run.assertions if each.get("subject") == "body" and each.get("passed") is False), None)
    if 200 <= status < 300 and failed is not None:
        return KeyVerdict(
            "bad",
            _("The key does not work"),
            _("The service answered %(status)s, but the answer says that it failed.", status=status),
        )
    return KeyVerdict("bad", _("The test failed"), _("The service answered %(status)s. Check the values above.", status=status))
