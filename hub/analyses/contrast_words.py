"""What changed since the workflow last worked, in the reader's language."""

from __future__ import annotations

from flask_babel import gettext as _

from hub.contracts.analysis import FieldChange, LastSuccess, WorkflowChange


def describe_contrast(last: LastSuccess) -> list[str]:
    """A sentence a change: the workflow's first, then the input's; empty where nothing is known to have changed."""
    return [*map(describe_workflow_change, last.workflow_changes), *map(describe_field_change, last.input_changes)]


def describe_field_change(change: FieldChange) -> str:
    """How a field of the failing node's input differs."""
    was, now = name_type(change.was), name_type(change.now)
    match change.kind:
        case "gone":
            return _("The input has no field ‘%(field)s’ any more (it was %(type)s).", field=change.path, type=was)
        case "new":
            return _("The input has a new field ‘%(field)s’ (%(type)s).", field=change.path, type=now)
        case "renamed":
            return _("The input's field ‘%(field)s’ is now called ‘%(now)s’.", field=change.path, now=change.now)
        case "type":
            return _("The input's field ‘%(field)s’ was %(was)s and is now %(now)s.", field=change.path, was=was, now=now)


def describe_workflow_change(change: WorkflowChange) -> str:
    """What was changed in the workflow."""
    node, place = change.node, change.place.removeprefix("parameters.")
    match change.kind:
        case "node-added":
            return _("Node ‘%(node)s’ was added.", node=node)
        case "node-removed":
            return _("Node ‘%(node)s’ was removed.", node=node)
        case "node-renamed":
            return _("Node ‘%(node)s’ is now called ‘%(now)s’.", node=node, now=place)
        case "node-type":
            return _("Node ‘%(node)s’ is of another type now.", node=node)
        case "parameter":
            return _("In node ‘%(node)s’, ‘%(place)s’ was changed.", node=node, place=place)
        case "connections":
            return _("Where node ‘%(node)s’ leads to was changed.", node=node)
        case "settings":
            return _("The workflow's setting ‘%(place)s’ was changed.", place=place)


def name_type(kind: str | None) -> str:
    """The name of a JSON type."""
    names = {
        "text": _("text"),
        "number": _("a number"),
        "boolean": _("true or false"),
        "object": _("an object"),
        "list": _("a list"),
        "null": _("empty"),
    }
    return names.get(kind or "null", str(kind))
