"""Examines what an analyzer suggests before anybody sees it: keys that the n8n accepts, syntax, and a trial on recorded data."""

from __future__ import annotations

from typing import Any

from hub.analyses.patch_policy import PatchRefused
from hub.analyses.patches import Change, apply_change
from hub.analyses.trials import try_changes
from hub.contracts.analysis import Diagnosis, Evidence, Objection, Suggestion, Trial
from hub.instances.features import Features

Json = dict[str, Any]


def examine(diagnosis: Diagnosis, evidence: Evidence, features: Features | None = None) -> Diagnosis:
    """The diagnosis with the trials of its patches, and objections to those that must not be applied by one click.

    ``features`` are those of the n8n that the change is for; None where it is not known. A patch that cannot be applied at
    all is left as it is: its preview says why.
    """
    changes = [_change(suggestion, evidence) for suggestion in diagnosis.suggestions]
    applicable = [change for change in changes if change is not None]
    trials = iter(try_changes(evidence, applicable) if applicable else ())
    examined = []
    for suggestion, change in zip(diagnosis.suggestions, changes, strict=True):
        tried = next(trials) if change is not None else ()
        objection = _object(change, evidence, features, tried) if change is not None else None
        examined.append(suggestion.model_copy(update={"trials": tried, "objection": objection}))
    return diagnosis.model_copy(update={"suggestions": tuple(examined)})


def _change(suggestion: Suggestion, evidence: Evidence) -> Change | None:
    if not suggestion.patch:
        return None
    try:
        return apply_change(suggestion.patch, base=evidence.workflow, current=evidence.workflow)
    except PatchRefused:
        return None


def _object(change: Change, evidence: Evidence, features: Features | None, trials: tuple[Trial, ...]) -> Objection | None:
    """The first reason against one click."""
    if features is not None and (strange := find_unaccepted(change, evidence.workflow, features)):
        return Objection(code="unaccepted-key", details={"field": strange})
    for trial in trials:
        if trial.status == "failed":
            code = {"time": "trial-endless", "memory": "trial-memory"}.get(trial.error or "", "trial-failed")
            code = "syntax" if code == "trial-failed" and trial.items == 0 else code
            return Objection(code=code, details={"node": trial.node, "field": trial.path, "message": trial.error})
    return None


def find_unaccepted(change: Change, before: Json, features: Features) -> str | None:
    """A key that the change sets and the n8n's own API document does not accept: n8n would refuse or lose it."""
    old_nodes = {node["name"]: node for node in before["nodes"]}
    for node in change.document["nodes"]:
        old = old_nodes.get(node["name"], {})
        for key, value in node.items():
            if features.node_keys and key not in features.node_keys and old.get(key) != value:
                return str(key)
    old_settings = before.get("settings") or {}
    for key, value in change.document["settings"].items():
        if key not in features.settings_keys and old_settings.get(key) != value:
            return f"settings.{key}"
    return None
