"""Between the builder's form and what sends it: the run, and the preview of what will be sent."""

from __future__ import annotations

import importlib
import importlib.util
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition
from hub.errors import Invalid, NotFound, Unavailable
from hub.extensions import db
from hub.http_builder.files import file_ids
from hub.http_builder.forms import BuilderForm, make_draft
from hub.http_builder.models import RequestFile, RequestRun, RequestRunBody
from hub.http_builder.secret_values import lift_secrets

_ROOM = "hub.http_builder"
#: Bytes of an answer on the builder's page.
SHOWN_BODY = 200_000


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
    if not draft.definition.url:
        raise Invalid(fields={"url": _("Enter the URL to send to.")})
    typed = {change.name: change.value for change in changes if change.value}
    return Typed(draft.name.strip() or _shorten(draft.definition), draft.definition, {**draft.secrets, **typed})


def start(actor: Actor, typed: Typed, *, request_id: str | None, environment_id: str | None) -> RequestRun:
    """Queue a run of what is in the form."""
    run: RequestRun = _part("running").start_run(
        actor,
        typed.definition,
        request_id=request_id,
        environment_id=environment_id,
        name=typed.name,
        secrets=typed.secrets or None,
    )
    return run


def preview(actor: Actor, typed: Typed, *, request_id: str | None, environment_id: str | None) -> Any:
    """What would be sent, masked; nothing is."""
    rendering = _part("rendering")
    values = _part("running").values_for(actor, request_id, environment_id, typed.secrets, definition=typed.definition)
    return rendering.preview_definition(typed.definition, values, files=_files(actor, typed.definition))


def get_run(actor: Actor, run_id: str) -> RequestRun:
    """One of the actor's runs; a stranger's is ``NotFound``."""
    run = db.session.scalar(sa.select(RequestRun).where(RequestRun.id == run_id, RequestRun.user_id == actor.user_id))
    if run is None:
        raise NotFound()
    return run


def read_body(run: RequestRun) -> str | None:
    """The beginning of the answer's body as text; None where there is none or it is no text."""
    stored = db.session.get(RequestRunBody, run.id)
    if stored is None:
        return None
    content = zlib.decompressobj().decompress(stored.content, SHOWN_BODY)
    return None if b"\0" in content else content.decode(errors="replace")


def describe_problem(problem: Any) -> str:
    """A problem of the preview in words."""
    return str(_part("rendering.words").describe_problem(problem))


def import_text(text: str, kind: str | None = None) -> Any:
    """The drafts in a text; ``Invalid`` (field ``source``) with the reason where there are none."""
    importing = _part("importing")
    try:
        return importing.import_text(text, kind=kind)
    except importing.ImportRefused as refused:
        raise Invalid(fields={"source": importing.describe_refusal(refused)}) from refused


def describe_note(note: Any) -> str:
    """What an importer left out or changed, in words."""
    return str(_part("importing").describe_note(note))


def _files(actor: Actor, definition: RequestDefinition) -> dict[str, Any]:
    ids = [file_id for _field, file_id in file_ids(definition)]
    if not ids:
        return {}
    content = _part("rendering").FileContent
    mine = sa.select(RequestFile).where(RequestFile.id.in_(ids), RequestFile.user_id == actor.user_id)
    files = db.session.scalars(mine.options(sa.orm.undefer(RequestFile.content)))
    return {file.id: content(file.name, file.media_type, file.content) for file in files}


def _shorten(definition: RequestDefinition) -> str:
    return f"{definition.method} {definition.url}"[:200]


def _part(name: str) -> Any:
    """A part of the builder that another branch brings; refused with a message until it is there."""
    full = f"{_ROOM}.{name}"
    try:
        return importlib.import_module(full)
    except ModuleNotFoundError as error:
        raise Unavailable(_("This hub cannot do that yet: its part %(name)s is missing.", name=full)) from error
