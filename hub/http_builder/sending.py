"""Between the builder's form and what sends it: the run, and the preview of what will be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition, RequestDraft
from hub.errors import Invalid
from hub.http_builder.environments import get_environment
from hub.http_builder.forms import BuilderForm, make_draft
from hub.http_builder.importing import ImportRefused, ImportResult, describe_refusal
from hub.http_builder.importing import import_text as read_text
from hub.http_builder.models import RequestRun
from hub.http_builder.rendering import Preview, preview_definition
from hub.http_builder.running import start_run, values_for
from hub.http_builder.running.sending import read_files
from hub.http_builder.secret_values import lift_secrets


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, ready to be sent: the definition with its placeholders, and secrets that are not saved."""

    name: str
    definition: RequestDefinition
    secrets: dict[str, str]


def read_typed(form: BuilderForm, stored: Sequence[str] = ()) -> Typed:
    """The form as it stands; ``stored`` are names of secrets that the request has. ``Invalid`` names each wrong field."""
    draft, changes = make_draft(form)
    draft = lift_secrets(draft, [*stored, *(change.name for change in changes)])
    definition = draft.definition
    if not definition.url:
        raise Invalid(fields={"url": _("Enter the URL to send to.")})
    typed = {change.name: change.value for change in changes if change.value}
    name = draft.name.strip() or f"{definition.method} {definition.url}"[:200]
    return Typed(name, definition, {**draft.secrets, **typed})


def typed_definition(definition: RequestDefinition, name: str, secrets: Mapping[str, str]) -> Typed:
    """A definition that comes with its secrets, and may hold literal ones."""
    draft = lift_secrets(RequestDraft(name=name, definition=definition, secrets=dict(secrets)))
    return Typed(name.strip() or f"{definition.method} {definition.url}"[:200], draft.definition, draft.secrets)


def start(actor: Actor, typed: Typed, *, request_id: str | None, environment_id: str | None) -> RequestRun:
    """Queue a run of what is in the form."""
    secrets = typed.secrets or None
    return start_run(
        actor, typed.definition, request_id=request_id, environment_id=environment_id, name=typed.name, secrets=secrets
    )


def preview(actor: Actor, typed: Typed, *, request_id: str | None, environment_id: str | None) -> Preview:
    """What would be sent, masked; nothing is."""
    if environment_id is not None:
        get_environment(actor, environment_id)
    values = values_for(actor, request_id, environment_id, typed.secrets, definition=typed.definition)
    return preview_definition(typed.definition, values, files=read_files(actor, typed.definition))


def import_text(text: str, kind: str | None = None) -> ImportResult:
    """The drafts in a text; ``Invalid`` (field ``source``) with the reason where there are none."""
    try:
        return read_text(text, kind=kind)
    except ImportRefused as refused:
        raise Invalid(fields={"source": describe_refusal(refused)}) from refused
