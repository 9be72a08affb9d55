"""Failures, one row for all that are the same, and the credentials that services refuse."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from hub.accounts.web import current_actor
from hub.columns import utc_now
from hub.executions.models import Execution
from hub.executions.services import list_executions
from hub.failures.credentials import list_refused_credentials
from hub.failures.explanations import Explanation, find_explanation
from hub.failures.services import Sorting, get_failure, list_failures
from hub.htmx import filtered_url, read_filters, render
from hub.i18n import current_language
from hub.instances.services import list_instances
from hub.workflows.node_types import describe_type

bp = Blueprint("failures", __name__)

bp.add_app_template_global(describe_type, "describe_type")

FILTERS = ("instance", "period", "search", "sort")
#: Without a choice the last 30 days.
MONTH = dt.timedelta(days=30)
PERIODS = {"24h": dt.timedelta(days=1), "7d": dt.timedelta(days=7), "all": None}
RECENT = 10


@bp.app_template_global("explanation_of")
def explanation_of(execution: Execution) -> Explanation | None:
    """What is known of an execution's failure, for the page of the execution, which stands on a lower floor."""
    return find_explanation(
        current_actor(),
        execution.fingerprint,
        execution_id=execution.id,
        workflow_id=execution.workflow_id,
        case=execution.fingerprint_case,
    )


@bp.get("/failures")
def index() -> ResponseReturnValue:
    """The failures of all instances."""
    actor = current_actor()
    chosen = read_filters(FILTERS)
    period = PERIODS.get(chosen["period"], MONTH)
    sorting = Sorting.COUNT if chosen["sort"] == Sorting.COUNT else Sorting.LAST_SEEN
    page = list_failures(
        actor,
        instance_id=chosen["instance"] or None,
        since=utc_now() - period if period else None,
        search=chosen["search"] or None,
        sorting=sorting,
        cursor=request.args.get("cursor") or None,
    )
    here = url_for("failures.index")
    return render(
        "failures/index.html",
        block="list",
        page=page,
        chosen=chosen,
        sorting=sorting,
        sort_urls={way.value: filtered_url(here, {**chosen, "sort": "" if way is Sorting.LAST_SEEN else way}) for way in Sorting},
        instances=list_instances(actor, limit=250).rows,
        next_url=filtered_url(here, chosen, page.next_cursor) if page.next_cursor else None,
        first_url=filtered_url(here, chosen) if request.args.get("cursor") else None,
        is_filtered=any(chosen[name] for name in ("instance", "period", "search")),
    )


@bp.get("/failures/credentials")
def credentials() -> ResponseReturnValue:
    """Credentials that were refused within 30 days, with every workflow that uses them."""
    found = list_refused_credentials(current_actor(), since=utc_now() - MONTH)
    return render("failures/credentials.html", credentials=found)


@bp.get("/failures/<fingerprint>")
def show(fingerprint: str) -> ResponseReturnValue:
    """One failure: how often and where it happens, its newest executions, and why."""
    actor = current_actor()
    detail = get_failure(actor, fingerprint)
    executions = list_executions(actor, fingerprint=fingerprint, limit=RECENT).rows
    return render(
        "failures/show.html",
        group=detail.group,
        detail=detail,
        executions=executions,
        explanation=find_explanation(
            actor, fingerprint, execution_id=detail.group.execution_id, workflow_id=detail.group.workflow_id
        ),
        language=current_language(),
    )
