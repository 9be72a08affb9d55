"""Repairs in words, in the reader's language: what a change means, which step a repair is at, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import format_percent, lazy_gettext, ngettext
from flask_babel import gettext as _

from hub.analyses.diagnosis import confidence_word
from hub.analyses.learning import Confidence
from hub.i18n import current_language
from hub.instances.words import describe_error

Details = Mapping[str, Any]
Words = dict[str, Any]

#: Why a repair ended as it did, or can't be started.
_ENDS: Words = {
    # Can't be started.
    "no-instance": lazy_gettext("This execution came from a file, so there is no n8n in which to apply the change."),
    "sample": lazy_gettext("This is a recorded sample. Connect your own n8n to apply a change like this one and see it proven."),
    "no-fresh-workflow": lazy_gettext(
        "The hub could not read the workflow from n8n when it made this analysis. Analyse the execution again when n8n answers."
    ),
    "no-proof": lazy_gettext(
        "The change lies before the node that failed, where a retry proves nothing, and this n8n cannot save a draft. Make the "
        "change in n8n yourself."
    ),
    # Refused before anything was changed.
    "workflow-changed": lazy_gettext("The workflow was changed in n8n since this analysis. Analyse the execution again."),
    "changed-meanwhile": lazy_gettext(
        "Somebody changed the workflow in n8n at the same moment. The hub stopped and left it as it is."
    ),
    "archived": lazy_gettext("The workflow is archived in n8n. Take it out of the archive there first."),
    "blocked-cause": lazy_gettext("No change of the workflow cures this cause, so the hub refuses to make one."),
    "draft-would-go-live": lazy_gettext(
        "The workflow's draft holds changes that were never published, and they would go live with the repair. Publish or "
        "discard them in n8n first."
    ),
    "not-live": lazy_gettext("The workflow is not published, so its webhook cannot be called."),
    "still-running": lazy_gettext("The execution is still running."),
    "already-retried": lazy_gettext("This execution was retried with success already, as execution %(execution)s."),
    "not-failed": lazy_gettext("n8n retries only executions that failed; this one ended as “%(status)s”."),
    "no-webhook-call": lazy_gettext("The request that started this execution is not known any more."),
    "upstream": lazy_gettext(
        "A retry starts at the node “%(node)s”, but the change lies before it, so the retry proves nothing about it."
    ),
    "n8n-refused": lazy_gettext("n8n refuses the changed workflow: %(message)s"),
    "automation-stopped": lazy_gettext("Automation was stopped before the repair was proven."),
    # Applied.
    "held-as-draft": lazy_gettext(
        "The repair works. It waits in the draft, because this workflow's automation does not publish. Publish it in n8n."
    ),
    "stopped-as-draft": lazy_gettext(
        "The repair works. It waits in the draft, because automation was stopped before it was published. Publish it in n8n."
    ),
    "verified": lazy_gettext("The failed execution ran again with the change, and the node “%(node)s” did its work."),
    "not-reached": lazy_gettext("The failed node works now, but the node “%(node)s” after it did not run."),
    "no-output": lazy_gettext("The node “%(node)s” works now but gave no items, so nothing after it ran."),
    "error-continued": lazy_gettext(
        "The failed node works now; the node “%(node)s” after it had an error and is set to continue."
    ),
    "waiting": lazy_gettext("The failed node works now; the execution waits at a later node."),
    "draft-not-published": lazy_gettext(
        "The repair works. It was saved in the draft only, because the draft holds other changes that were never published."
    ),
    "edited-before-publish": lazy_gettext(
        "The repair works and is saved in the draft. Somebody edited the draft before it was published, so publish it in n8n."
    ),
    "not-published": lazy_gettext(
        "The repair is proven and saved as the draft, but n8n did not publish it. Publish it in n8n. Reason: %(reason)s"
    ),
    "kept-as-draft": lazy_gettext("The change is saved as the draft. It is not published and not proven."),
    "kept-unproven": lazy_gettext("The change is saved. The workflow is not published, and the change is not proven."),
    # Applied without proof, and closed by a later run.
    "proven-later": lazy_gettext("Execution %(execution)s ran this version, and the node “%(node)s” did its work."),
    "proven-later-in-part": lazy_gettext(
        "Execution %(execution)s ran this version: the failed node works now, but not all that follows did its work."
    ),
    "disproven-later": lazy_gettext(
        "Execution %(execution)s ran this version, and the node “%(node)s” failed again in the same way. You can undo the repair."
    ),
    "failed-otherwise-later": lazy_gettext(
        "Execution %(execution)s ran this version and failed in another way, at the node “%(node)s”: %(message)s You can undo "
        "the repair."
    ),
    # Undone, or not.
    "undone": lazy_gettext("The repair was undone."),
    "undo-edited-before-restore": lazy_gettext(
        "The repair was not undone: somebody has edited the workflow since. Nothing was changed; the old workflow can be "
        "downloaded below."
    ),
    "undo-not-restored": lazy_gettext("The repair was not undone, because n8n did not let the hub do it. Reason: %(reason)s"),
    "undo-restored-differently": lazy_gettext(
        "n8n saved the old workflow in another form. Compare it in n8n with the download below."
    ),
    "undo-not-live-again": lazy_gettext(
        "The old workflow is back in the draft, but n8n did not publish it again. Publish it in n8n."
    ),
    # Not proven: the old workflow is back.
    "n8n-error": lazy_gettext("n8n did not let the hub go on: %(reason)s"),
    "same-failure": lazy_gettext("The node “%(node)s” failed again in the same way: %(message)s"),
    "new-failure": lazy_gettext("The run failed in another way, at the node “%(node)s”: %(message)s"),
    "ended-otherwise": lazy_gettext("The run did not succeed; it ended as “%(status)s”."),
    "error-hidden": lazy_gettext("The run is green, but the node “%(node)s” still has its error and goes on."),
    "other-version": lazy_gettext("The run used another version of the workflow, so it proves nothing."),
    "target-not-run": lazy_gettext("The node that had failed did not run, so nothing is proven."),
    "retry-refused": lazy_gettext("n8n refuses to retry the execution: %(message)s"),
    "no-retry-seen": lazy_gettext("n8n was asked for a retry, but no new execution is to be seen."),
    "no-run-seen": lazy_gettext("The webhook was called, but no new execution is to be seen."),
    "still-runs": lazy_gettext("The run had not ended after 15 minutes, so nothing is proven."),
    "too-large": lazy_gettext("The run's data is too large to be read, so nothing is proven."),
    "saved-differently": lazy_gettext("n8n saved the workflow in another form than it was sent."),
    # Stuck.
    "not-restored": lazy_gettext(
        "The repair did not work, and n8n did not let the hub put the old workflow back. Download the old workflow below and "
        "import it in n8n. Reason: %(reason)s"
    ),
    "edited-before-restore": lazy_gettext(
        "The repair did not work, but somebody edited the workflow meanwhile, so the hub did not put the old one over it. Look "
        "at it in n8n; the old workflow can be downloaded below."
    ),
    "restored-differently": lazy_gettext(
        "The repair did not work, and n8n saved the old workflow in another form. Compare it in n8n with the download below."
    ),
    "not-live-again": lazy_gettext(
        "The repair did not work. The old workflow is back in the draft, but n8n did not publish it again. Publish it in n8n."
    ),
    "interrupted": lazy_gettext(
        "The hub was interrupted too often during this repair. Compare the workflow in n8n with the download below."
    ),
}

#: The second half of a sentence: why a patch must not be applied.
_PATCH_REFUSALS: Words = {
    "malformed": lazy_gettext("it is no valid JSON Patch."),
    "does-not-apply": lazy_gettext("it does not fit the workflow."),
    "test-failed": lazy_gettext("the workflow is not what the change expects."),
    "no-change": lazy_gettext("it changes nothing."),
    "node-gone": lazy_gettext("a node that it changes is gone."),
    "changed-since": lazy_gettext("the value at %(path)s is not what the analysis saw."),
    "outside": lazy_gettext("it changes parts of the workflow that a repair must not touch."),
    "settings": lazy_gettext("it changes the workflow's settings."),
    "removes-node": lazy_gettext("it removes a node."),
    "closed-field": lazy_gettext("it changes “%(field)s” of the node “%(node)s”."),
    "hides-error": lazy_gettext("it hides the error of the node “%(node)s” instead of repairing it."),
    "hidden-value": lazy_gettext(
        "it needs a value of the node “%(node)s” that was hidden as a secret. Make this change in n8n yourself."
    ),
    "private-values": lazy_gettext("it reads environment values or secrets in the node “%(node)s”."),
    "reaches-out": lazy_gettext("its code in the node “%(node)s” uses “%(word)s”."),
    "new-host": lazy_gettext("it sends data of the node “%(node)s” to a new host, %(host)s."),
    "unbalanced": lazy_gettext("an expression in the node “%(node)s” has unbalanced braces."),
    "adds-node": lazy_gettext("it adds a node of a kind that a repair must not add (%(type)s)."),
    "double-name": lazy_gettext("two nodes would have the same name."),
    "connections": lazy_gettext("it connects nodes that do not exist."),
    # Found when it was examined.
    "unaccepted-key": lazy_gettext("this n8n does not accept “%(field)s” in a workflow."),
    "syntax": lazy_gettext("“%(field)s” of the node “%(node)s” would be no valid text: %(message)s"),
    "trial-failed": lazy_gettext("tried on the recorded data, “%(field)s” of the node “%(node)s” still fails: %(message)s"),
    "trial-endless": lazy_gettext("tried on the recorded data, “%(field)s” of the node “%(node)s” does not end in time."),
    "trial-memory": lazy_gettext("tried on the recorded data, “%(field)s” of the node “%(node)s” needs too much memory."),
}

#: What a person should know before they apply a change.
_WARNINGS: Words = {
    "goes-live": lazy_gettext("This n8n cannot save a draft of a published workflow: the change goes live at once."),
    "webhook-goes-live": lazy_gettext(
        "To call the webhook, the change is published first. The old workflow is put back if the run does not prove it."
    ),
    "draft-differs": lazy_gettext(
        "The draft holds changes that were never published. The repair is added to the draft and not published."
    ),
    "publishes": lazy_gettext("When the retry proves the change, it is published; else the old workflow is put back."),
    "puts-back": lazy_gettext("If the retry does not prove the change, the old workflow is put back."),
    "writes": lazy_gettext("The retry really runs these nodes, which send or change data: %(nodes)s."),
    "upstream": lazy_gettext("The change lies before the node that failed, and a retry starts at that node."),
    "code": lazy_gettext("The change edits code. Read it before you apply it."),
    "request-writes": lazy_gettext("The changed request sends or changes data at the service."),
    "type-version": lazy_gettext("The change moves a node to another version of its type, which may behave differently."),
    "adds-node": lazy_gettext("The change adds a node."),
    "rewires": lazy_gettext("The change connects nodes in another way."),
    "retries-write": lazy_gettext(
        "The node “%(node)s” sends or changes data and will be tried up to %(tries)s times for each item (calls at most: "
        "%(count)s). A call that arrived although it seemed to fail is repeated."
    ),
    "first-item-only": lazy_gettext("The node “%(node)s” will handle the first item only."),
    "routes-differently": lazy_gettext(
        "The condition of the node “%(node)s” becomes looser: some items may take another way than before."
    ),
    "reads-more": lazy_gettext("The node “%(node)s” will read data of further nodes: %(nodes)s."),
    "constant": lazy_gettext("The change replaces an expression with a fixed value."),
}

_STEPS: Words = {
    "queued": lazy_gettext("Asked for"),
    "check": lazy_gettext("Check that the workflow is still the same"),
    "save": lazy_gettext("Save the change in n8n"),
    "publish-first": lazy_gettext("Publish the change"),
    "retry": lazy_gettext("Retry the failed execution"),
    "call": lazy_gettext("Call the webhook again"),
    "wait": lazy_gettext("Wait for the run and judge it"),
    "publish": lazy_gettext("Publish the proven change"),
    "restore": lazy_gettext("Put the old workflow back"),
    "undo": lazy_gettext("Undo the repair"),
    "prove": lazy_gettext("Judge a later run of this version"),
    "record": lazy_gettext("Bring the result into the hub"),
    "done": lazy_gettext("Done"),
}

_PROOFS: Words = {
    "retry": lazy_gettext("Retry the failed execution from the node that failed"),
    "webhook": lazy_gettext("Publish the change and call the webhook again with the same request"),
    "none": lazy_gettext("Save it without proof, as a draft"),
}

#: Why a handed-in document cannot be analysed.
_INPUT_PROBLEMS: Words = {
    "too-large": lazy_gettext("The file is larger than %(megabytes)s MB."),
    "not-text": lazy_gettext("The file is not JSON: it is no UTF-8 text."),
    "not-json": lazy_gettext("The file is not JSON (%(place)s)."),
    "empty": lazy_gettext("Choose a file with a failed execution."),
    "too-deep": lazy_gettext("The file is nested too deeply."),
    "not-object": lazy_gettext("The file holds no execution. Save the answer of n8n's API for one execution with its data."),
    "no-execution": lazy_gettext("The file holds no execution. Save the answer of n8n's API for one execution with its data."),
    "database-form": lazy_gettext("The data is in the form of n8n's database. Save the answer of n8n's API instead."),
    "no-workflow": lazy_gettext("The file holds no workflow: neither “workflow” nor “workflowData” has nodes."),
    "succeeded": lazy_gettext("This execution succeeded; there is no failure to explain."),
}


def describe_end(code: str, details: Details) -> str:
    """Why a repair ended as it did, or why it can't be started."""
    if code == "patch-refused":
        reason = _say(_PATCH_REFUSALS, str(details.get("reason")), details)
        return _("The suggested change must not be applied: %(reason)s", reason=reason)
    if "error" in details:
        details = {**details, "reason": details.get("message") or describe_error(str(details["error"]), details)}
    return _say(_ENDS, code, details)


def describe_warning(code: str, details: Details) -> str:
    """What a person should know before they apply a change."""
    if code == "may-repeat":
        return ngettext(
            "The node “%(node)s” may have done its work for %(num)s item already; the retry repeats it.",
            "The node “%(node)s” may have done its work for some of its %(num)s items already; the retry repeats it for all.",
            details["count"],
            node=details["node"],
        )
    if "nodes" in details:
        quoted = "\u2068“{}”\u2069" if current_language() == "ar" else "“{}”"  # isolated, or the marks change sides
        details = {**details, "nodes": _(", ").join(quoted.format(name) for name in details["nodes"])}
    return _say(_WARNINGS, code, details)


def describe_step(step: str) -> str:
    """The name of a step."""
    return _say(_STEPS, step, {})


def describe_proof(kind: str) -> str:
    """A way of proof as a choice."""
    return _say(_PROOFS, kind, {})


def describe_confidence(confidence: float) -> str:
    """The level of a confidence in words."""
    return {"high": _("high"), "medium": _("medium"), "low": _("low")}[confidence_word(confidence)]


def say_confidence(confidence: Confidence) -> str:
    """A confidence as the macro of the pages says it: per cents with their cases, or a word where there are too few."""
    if confidence.is_calibrated:
        cases = ngettext("%(num)s case", "%(num)s cases", confidence.labels)
        return f"{format_percent(confidence.value)} · {cases}"
    return f"{describe_confidence(confidence.value)} · {_('not yet calibrated')}"


def describe_input_problem(code: str, details: Details) -> str:
    """Why a handed-in document cannot be analysed."""
    return _say(_INPUT_PROBLEMS, code, details)


class _Blanks(dict[str, Any]):
    """Details in which what is missing reads as nothing."""

    def __missing__(self, key: str) -> str:
        return ""


def _say(words: Words, code: str, details: Details) -> str:
    """The sentence of a code; the code itself where a newer hub wrote one that is not known here."""
    return str(words[code]) % _Blanks(details) if code in words else code
