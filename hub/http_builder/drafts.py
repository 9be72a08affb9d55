"""What a draft has to keep to before it is stored: sizes, names, folders and tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from flask_babel import gettext as _

from hub.contracts.http import (
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    RawBody,
    RequestDefinition,
    RequestDraft,
    XmlBody,
)
from hub.errors import Invalid
from hub.storable import clean_json, clean_text

MAX_NAME = 200
MAX_URL = 8192
MAX_BODY = 1_000_000
MAX_ROWS = 200
MAX_FOLDER = 200
MAX_TAGS, MAX_TAG = 20, 60
MAX_TEXT = 100_000
MAX_CELL = 20_000
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,119}")


def check_draft(draft: RequestDraft) -> RequestDraft:
    """The draft as it can be stored, its spaces trimmed; ``Invalid`` names each field that is wrong."""
    draft = _clean(draft)
    problems = dict(_problems(draft))
    if problems:
        raise Invalid(fields=problems)
    return draft


def read_folder(text: str | None) -> str | None:
    """A folder's path with single slashes and without spaces around its names; None for no folder."""
    names = [name.strip() for name in (text or "").split("/")]
    return "/".join(name for name in names if name) or None


def read_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """Tags without empty ones, each once, in the order they were given."""
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


def body_texts(definition: RequestDefinition) -> tuple[str, ...]:
    """The texts of the body that were written in one piece."""
    body = definition.body
    if isinstance(body, JsonBody | RawBody | XmlBody):
        return (body.text,)
    return (body.query, body.variables) if isinstance(body, GraphqlBody) else ()


def _clean(draft: RequestDraft) -> RequestDraft:
    """Without what no database stores (NUL, lone surrogates); names, folder and tags trimmed."""
    definition = RequestDefinition.model_validate(clean_json(draft.definition.model_dump(mode="json")))
    return draft.model_copy(
        update={
            "name": clean_text(draft.name).strip(),
            "definition": definition.model_copy(update={"url": definition.url.strip()}),
            "description": clean_text(draft.description or "").strip() or None,
            "documentation": clean_text(draft.documentation or "").strip() or None,
            "folder": read_folder(clean_text(draft.folder or "")),
            "tags": read_tags(clean_text(tag) for tag in draft.tags),
            "secrets": {clean_text(name): clean_text(value) for name, value in draft.secrets.items()},
        }
    )


def _problems(draft: RequestDraft) -> Iterator[tuple[str, str]]:
    definition = draft.definition
    if not draft.name:
        yield "name", _("Give the request a name.")
    elif len(draft.name) > MAX_NAME:
        yield "name", _("The name is longer than %(most)s characters.", most=MAX_NAME)
    if len(definition.url) > MAX_URL:
        yield "url", _("The URL is longer than %(most)s characters.", most=MAX_URL)
    if len(draft.folder or "") > MAX_FOLDER:
        yield "folder", _("The folder is longer than %(most)s characters.", most=MAX_FOLDER)
    if len(draft.tags) > MAX_TAGS or any(len(tag) > MAX_TAG for tag in draft.tags):
        yield "tags", _("At most %(count)s tags of %(most)s characters each.", count=MAX_TAGS, most=MAX_TAG)
    for field, text in (("description", draft.description), ("documentation", draft.documentation)):
        if len(text or "") > MAX_TEXT:
            yield field, _("This is longer than %(most)s characters.", most=MAX_TEXT)
    if sum(len(text.encode()) for text in body_texts(definition)) > MAX_BODY:
        yield "body", _("The body is larger than 1 MB. Send it as a file: choose Binary.")
    yield from _table_problems(definition)
    yield from _name_problems(draft)


def _table_problems(definition: RequestDefinition) -> Iterator[tuple[str, str]]:
    tables: dict[str, tuple[object, ...]] = {
        name: getattr(definition, name) for name in ("params", "headers", "assertions", "extractions", "variables")
    }
    if isinstance(definition.body, FormBody):
        tables["form"] = definition.body.fields
    if isinstance(definition.body, MultipartBody):
        tables["multipart"] = definition.body.parts
    for name, rows in tables.items():
        if len(rows) > MAX_ROWS:
            yield name, _("At most %(most)s rows.", most=MAX_ROWS)
        elif any(len(str(cell)) > MAX_CELL for row in rows for cell in dict(row).values()):  # type: ignore[call-overload]
            yield name, _("A value is longer than %(most)s characters.", most=MAX_CELL)


def _name_problems(draft: RequestDraft) -> Iterator[tuple[str, str]]:
    """Names of variables: letters, digits, ``_ . -``, and each of them once."""
    plain = [row.name for row in draft.definition.variables]
    for field, names in (
        ("variables", plain),
        ("extractions", [row.variable for row in draft.definition.extractions]),
        ("secrets", list(draft.secrets)),
    ):
        wrong = next((name for name in names if not VARIABLE_NAME.fullmatch(name)), None)
        if wrong is not None:
            words = _("%(name)s is no name for a variable: use letters, digits and _ . - and begin with a letter.", name=wrong)
            yield field, words if wrong else _("A variable needs a name.")
    twice = next((name for name in plain if plain.count(name) > 1 or name in draft.secrets), None)
    if twice:
        yield "variables", _("%(name)s is there twice.", name=twice)
    if any(len(value) > MAX_CELL for value in draft.secrets.values()):
        yield "secrets", _("A value is longer than %(most)s characters.", most=MAX_CELL)
