"""Imports as pages, JSON API and command line make them: read from where it comes, put into a folder, saved with environments."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from flask_babel import gettext as _

from hub.contracts.actor import Actor
from hub.egress import EgressError, current_policy, describe_egress_error
from hub.errors import HubError, Invalid, Unavailable
from hub.extensions import db
from hub.http_builder.drafts import read_folder
from hub.http_builder.environments import VariableDraft, create_environment, create_variable
from hub.http_builder.importing import (
    FORMATS,
    ImportedEnvironment,
    ImportRefused,
    ImportResult,
    describe_refusal,
    import_text,
)
from hub.http_builder.importing.fetching import import_address
from hub.http_builder.importing.saving import ImportSummary, save_import
from hub.http_builder.importing.uploads import import_file
from hub.http_builder.secret_values import authority_of


def read_import(
    text: str | None, content: bytes | None, address: str | None, *, kind: str | None = None, folder: str = ""
) -> ImportResult:
    """The requests of a text, a file or the document at an address: exactly one of them is given.

    ``Invalid`` names what can't be imported; ``Unavailable`` where the address gives no answer.
    """
    if sum(source is not None for source in (text, content, address)) != 1:
        raise Invalid(fields={"text": _("Send one of a text, a file and an address.")})
    if kind is not None and kind not in {known.kind for known in FORMATS}:
        raise Invalid(fields={"kind": _("This is no format that can be imported.")})
    field = "text" if text is not None else "content_base64" if content is not None else "address"
    try:
        if content is not None:
            result = import_file(content, kind=kind)
        elif address is not None:
            result = import_address(address, current_policy(), kind=kind)
        else:
            result = import_text(text or "", kind=kind)
    except ImportRefused as refused:
        raise Invalid(fields={field: describe_refusal(refused)}) from refused
    except EgressError as error:
        raise Unavailable(describe_egress_error(error.code, error.details) or error.code) from error
    return into_folder(result, folder)


def into_folder(result: ImportResult, folder: str) -> ImportResult:
    """The result with its folders below ``folder``."""
    if not read_folder(folder):
        return result
    drafts = [draft.model_copy(update={"folder": read_folder(f"{folder}/{draft.folder or ''}")}) for draft in result.drafts]
    return replace(result, drafts=tuple(drafts))


def save_all(actor: Actor, result: ImportResult, chosen: Collection[int] | None = None) -> tuple[ImportSummary, list[str]]:
    """Save the chosen requests (None: all) and the environments that came along; and what of those could not be, in words."""
    summary = save_import(actor, result, chosen)
    hosts = tuple(sorted({host for draft in result.drafts if (host := authority_of(draft.definition.url))}))
    return summary, [problem for each in result.environments for problem in _save_environment(actor, each, hosts)]


def _save_environment(actor: Actor, imported: ImportedEnvironment, hosts: tuple[str, ...]) -> list[str]:
    """Variables that came along, as an environment of their own; its secrets go to the hosts of the requests they came with."""
    try:
        environment_id = create_environment(actor, imported.name).id
    except HubError as error:
        db.session.rollback()
        return [_("The environment “%(name)s” was not imported: %(reason)s", name=imported.name, reason=error.message)]
    drafts = [VariableDraft(row.name, row.value, False, (), row.description or "") for row in imported.variables]
    drafts += [VariableDraft(name, value, True, hosts, "") for name, value in imported.secrets.items()]
    problems = []
    for draft in drafts:
        try:
            create_variable(actor, environment_id, draft)
        except HubError as error:
            db.session.rollback()
            problems.append(_("The variable %(name)s was not imported: %(reason)s", name=draft.name, reason=error.message))
    return problems
