"""Imports as pages, JSON API and command line make them: read from where it comes, and put into a folder."""

from __future__ import annotations

from dataclasses import replace

from flask_babel import gettext as _

from hub.egress import current_policy
from hub.errors import Invalid
from hub.http_builder.drafts import read_folder
from hub.http_builder.importing import FORMATS, ImportRefused, ImportResult, describe_refusal
from hub.http_builder.importing.saving import ImportSummary
from hub.http_builder.importing.sources import Source, fetch_source
from hub.http_builder.importing.uploads import import_file


def read_import(
    text: str | None, content: bytes | None, address: str | None, *, kind: str | None = None, folder: str = ""
) -> ImportResult:
    """The requests of a text, a file or the document at an address: exactly one of them is given.

    ``Invalid`` names what can't be imported, or read.
    """
    if sum(source is not None for source in (text, content, address)) != 1:
        raise Invalid(fields={"text": _("Send one of a text, a file and an address.")})
    if kind is not None and kind not in {known.kind for known in FORMATS}:
        raise Invalid(fields={"kind": _("This is no format that can be imported.")})
    field = "text" if text is not None else "content_base64" if content is not None else "address"
    given = content if content is not None else (text or "").encode("utf-8", "replace")
    source = Source(given) if address is None else fetch_source(address, current_policy())
    try:
        result = import_file(source.content, kind=kind, address=source.address)
    except ImportRefused as refused:
        raise Invalid(fields={field: describe_refusal(refused)}) from refused
    return into_folder(result, folder)


def into_folder(result: ImportResult, folder: str) -> ImportResult:
    """The result with its folders below ``folder``."""
    if not read_folder(folder):
        return result
    drafts = [draft.model_copy(update={"folder": read_folder(f"{folder}/{draft.folder or ''}")}) for draft in result.drafts]
    return replace(result, drafts=tuple(drafts))


def list_left_out(summary: ImportSummary) -> list[str]:
    """Values of environments that came along and could not be stored, in words."""
    return [
        _("Enter these values in the environment “%(name)s”: %(names)s", name=each.name, names=", ".join(each.left_out))
        for each in summary.environments
        if each.left_out
    ]
