"""The builder's form: what was typed, kept as it was typed, and the draft that it stands for.

``BuilderForm`` is the one state that the page is drawn from, whether it comes from a stored request or from a form that is
sent back with messages. A secret that was typed is sealed before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from hub.contracts.actor import Actor
from hub.contracts.catalog import HttpMethod
from hub.contracts.http import SECRET_AUTH_FIELDS, VARIABLE_PLACEHOLDER, Auth, Comparison, Pair, RequestDefinition, RequestDraft
from hub.errors import Invalid
from hub.http_builder import bodies
from hub.http_builder.drafts import read_tags
from hub.http_builder.models import Variable
from hub.http_builder.query import merge_query, show_url
from hub.http_builder.secret_values import SecretChange, is_reference, open_typed, seal_typed

#: Tables of the form and the columns of each; ``enabled`` and the others in ``FLAGS`` are check boxes.
TABLES: dict[str, tuple[str, ...]] = {
    "params": ("name", "value", "enabled", "description"),
    "headers": ("name", "value", "enabled", "description"),
    "form": ("name", "value", "enabled", "description"),
    "multipart": ("name", "value", "enabled", "description", "is_file", "file_id", "file_name", "content_type"),
    "assertions": ("subject", "path", "comparison", "expected", "enabled"),
    "extractions": ("variable", "source", "path", "scope", "secret", "enabled"),
    "variables": ("name", "value", "enabled", "description"),
    "secrets": ("name", "value", "hosts", "stored", "removed"),
}
FLAGS = frozenset(("enabled", "is_file", "secret", "removed"))
#: A row that says nothing beyond these is an empty one.
_SILENT = frozenset(("enabled", "subject", "comparison", "source", "scope", "secret", "is_file", "content_type", "stored"))
AUTH_FIELDS: dict[str, tuple[str, ...]] = {
    model.model_fields["type"].default: tuple(name for name in model.model_fields if name != "type")
    for model in Auth.__origin__.__args__  # type: ignore[attr-defined]
}
SETTINGS = ("timeout_seconds", "max_redirects")
_TEXTS = ("name", "description", "folder", "documentation", "method", "url", "tags")


@dataclass
class BuilderForm:
    """Texts by the name of their field, rows by table, and what is wrong by field."""

    values: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {table: [] for table in TABLES})
    errors: dict[str, str] = field(default_factory=dict)
    #: Secrets as they were typed, by the name of their field; never drawn.
    typed: dict[str, str] = field(default_factory=dict, repr=False)

    def get(self, name: str, default: str = "") -> str:
        """The text of a field."""
        return self.values.get(name, default)


# --- From a stored request ------------------------------------------------------------------------------------------


def show_draft(draft: RequestDraft, secrets: Sequence[Variable] = ()) -> BuilderForm:
    """The form of a draft; ``secrets`` are those that are stored with its request."""
    definition = draft.definition
    url, params = show_url(definition.url, definition.params)
    form = BuilderForm()
    form.values = {
        "name": draft.name,
        "description": draft.description or "",
        "folder": draft.folder or "",
        "documentation": draft.documentation or "",
        "tags": ", ".join(draft.tags),
        "method": definition.method.value,
        "url": url,
        "url_shown": url,
        "timeout_seconds": f"{definition.settings.timeout_seconds:g}",
        "max_redirects": str(definition.settings.max_redirects),
        "follow_redirects": "1" if definition.settings.follow_redirects else "",
        "verify_tls": "1" if definition.settings.verify_tls else "",
        **bodies.show_body(definition.body),
        **_show_auth(definition.auth, {secret.name for secret in secrets}),
    }
    form.rows["params"] = [_row("params", pair) for pair in params]
    for table in ("headers", "assertions", "extractions", "variables"):
        form.rows[table] = [_row(table, item) for item in getattr(definition, table)]
    for table in ("form", "multipart"):
        form.rows[table] = [_row(table, item) for item in bodies.body_rows(definition.body, table)]
    form.rows["secrets"] = [
        {"name": secret.name, "value": "", "hosts": ", ".join(secret.hosts), "stored": "1"} for secret in secrets
    ]
    return form


def add_row(form: BuilderForm, table: str, item: Any) -> None:
    """One more row, of a part of a definition."""
    form.rows[table].append(_row(table, item))


def _show_auth(auth: Auth, stored: set[str]) -> dict[str, str]:
    """A placeholder of a secret that is stored with the request is not shown as text but as "set"."""
    values: dict[str, str] = {"auth_type": auth.type}
    for name in AUTH_FIELDS[auth.type]:
        text = str(getattr(auth, name))
        placeholder = VARIABLE_PLACEHOLDER.fullmatch(text)
        is_set = name in SECRET_AUTH_FIELDS.get(auth.type, ()) and placeholder is not None and placeholder[1] in stored
        values[f"auth.{auth.type}.{name}{'.kept' if is_set else ''}"] = text
    return values


def _row(table: str, item: Any) -> dict[str, str]:
    cells = {column: getattr(item, column, None) for column in TABLES[table]}
    return {name: _cell(value) for name, value in cells.items() if value not in (None, False)}


def _cell(value: Any) -> str:
    return "1" if value is True else str(value)


# --- From what was sent ----------------------------------------------------------------------------------------------


def read_form(actor: Actor, sent: MultiDict[str, str]) -> BuilderForm:
    """What was typed, row by row in the order of the page; rows without words are left out."""
    form = BuilderForm()
    tables: dict[str, dict[str, dict[str, str]]] = {table: {} for table in TABLES}
    for name, text in sent.items():
        table, _dot, rest = name.partition(".")
        key, _dot, column = rest.partition(".")
        if table in tables and column:
            tables[table].setdefault(key, {})[column] = text
        else:
            form.values[name] = text.replace("\r\n", "\n")
    for table, rows in tables.items():
        columns = {*TABLES[table], "sealed"}
        for key, row in rows.items():
            cells = {column: text.replace("\r\n", "\n") for column, text in row.items() if column in columns}
            if any(text.strip() for column, text in cells.items() if column not in _SILENT) or cells.get("comparison") in (
                Comparison.EXISTS,
                Comparison.MISSING,
            ):
                cells["key"] = key
                form.rows[table].append(cells)
    _seal(actor, form)
    return form


def _seal(actor: Actor, form: BuilderForm) -> None:
    """Take literal secrets out of what the page is drawn from."""
    for kind, fields in SECRET_AUTH_FIELDS.items():
        for name in (f"auth.{kind}.{one}" for one in fields):
            form.values[name] = _take(actor, form.values, name, f"{name}.sealed", form.typed, name)
            if form.values.pop(f"{name}.clear", ""):
                form.values[f"{name}.kept"] = ""
    for row in form.rows["secrets"]:
        row["value"] = _take(actor, row, "value", "sealed", form.typed, f"secrets.{row['key']}", is_literal=True)


def _take(
    actor: Actor,
    cells: dict[str, str],
    name: str,
    sealed: str,
    typed: dict[str, str],
    key: str,
    *,
    is_literal: bool = False,
) -> str:
    """What may be shown of a field: a reference as it is, a literal as nothing, with its envelope in ``sealed``."""
    text = cells.get(name, "")
    if text and is_reference(text) and not is_literal:
        cells.pop(sealed, None)
        return text
    if text:
        cells[sealed] = seal_typed(actor, text)
    secret = text or open_typed(actor, cells.get(sealed, ""))
    if secret:
        typed[key] = secret
    else:
        cells.pop(sealed, None)
    return ""


# --- To a draft ------------------------------------------------------------------------------------------------------


def make_draft(form: BuilderForm) -> tuple[RequestDraft, list[SecretChange]]:
    """The draft that the form stands for and what becomes of its secrets; ``Invalid`` names each field that can't be read."""
    problems: dict[str, str] = {}
    url, params = merge_query(form.get("url").strip(), form.get("url_shown"), [_pair(row) for row in form.rows["params"]])
    definition: dict[str, Any] = {
        "method": form.get("method", "GET"),
        "url": url,
        "params": [pair.model_dump() for pair in params],
        "body": bodies.read_body(form.values, form.rows),
        "settings": _read_settings(form, problems),
    }
    for table in ("headers", "assertions", "extractions", "variables"):
        definition[table] = [_read_row(table, row) for row in form.rows[table]]
    replaced: list[SecretChange] = []
    definition["auth"] = _read_auth(form, replaced)
    if definition["method"] not in set(HttpMethod):
        problems["method"] = _("This method is not known.")
    if problems:
        raise Invalid(fields=problems)
    try:
        parsed = RequestDefinition.model_validate(definition)
    except ValidationError as error:
        raise Invalid(fields=_explain(error)) from error
    draft = RequestDraft(
        name=form.get("name"),
        definition=parsed,
        description=form.get("description") or None,
        folder=form.get("folder") or None,
        tags=read_tags(form.get("tags").replace("،", ",").split(",")),
        documentation=form.get("documentation") or None,
    )
    return draft, [*_read_secrets(form), *replaced]


def _pair(row: Mapping[str, str]) -> Pair:
    return Pair(
        name=row.get("name", "").strip(),
        value=row.get("value", ""),
        enabled="enabled" in row,
        description=row.get("description") or None,
    )


def _read_row(table: str, row: Mapping[str, str]) -> dict[str, Any]:
    if table in ("headers", "variables"):
        return _pair(row).model_dump()
    return {name: name in row if name in FLAGS else row[name].strip() for name in TABLES[table] if name in row or name in FLAGS}


def _read_settings(form: BuilderForm, problems: dict[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = {name: bool(form.get(name)) for name in ("follow_redirects", "verify_tls")}
    for name, least, most in (("timeout_seconds", 1, 120), ("max_redirects", 0, 20)):
        text = form.get(name).strip().replace(",", ".")
        try:
            settings[name] = float(text) if name == "timeout_seconds" else int(text)
        except ValueError:
            settings[name] = -1
        if not least <= settings[name] <= most:  # NaN too
            problems[name] = _("Enter a number from %(least)s to %(most)s.", least=least, most=most)
    return settings


def _read_auth(form: BuilderForm, replaced: list[SecretChange]) -> dict[str, Any]:
    kind = form.get("auth_type", "none")
    auth: dict[str, Any] = {"type": kind}
    for name in AUTH_FIELDS.get(kind, ()):
        full = f"auth.{kind}.{name}"
        if name not in SECRET_AUTH_FIELDS.get(kind, ()):
            auth[name] = form.get(full).strip()
            continue
        kept = VARIABLE_PLACEHOLDER.fullmatch(form.get(f"{full}.kept"))
        typed = form.typed.get(full)
        auth[name] = form.get(full) or typed or (kept[0] if kept else "")
        if typed and kept:
            auth[name] = kept[0]
            replaced.append(SecretChange(kept[1], typed))
    return auth


def _read_secrets(form: BuilderForm) -> Iterable[SecretChange]:
    for row in form.rows["secrets"]:
        hosts = tuple(row.get("hosts", "").replace("،", ",").replace(" ", ",").split(","))
        written = tuple(host for host in hosts if host)
        value = form.typed.get(f"secrets.{row.get('key')}")
        is_new = not row.get("stored")
        yield SecretChange(row.get("name", "").strip(), value, None if is_new and not written else written, "removed" in row)


def _explain(error: ValidationError) -> dict[str, str]:
    """The contract's complaints by the form's fields; they are rare, as the form offers what is right."""
    words: dict[str, str] = {}
    for problem in error.errors():
        words.setdefault(str(problem["loc"][0]), _("This can't be read: %(reason)s", reason=problem["msg"]))
    return words


# --- Buttons that work without script --------------------------------------------------------------------------------


def apply_action(form: BuilderForm, action: str) -> None:
    """``add:TABLE``, ``copy:TABLE:KEY``, ``drop:TABLE:KEY`` or ``format:FIELD``; any other changes nothing."""
    kind, _colon, rest = action.partition(":")
    table, _colon, key = rest.partition(":")
    if kind == "format" and rest in bodies.JSON_FIELDS:
        form.values[rest] = bodies.format_json(form.get(rest))
    rows = form.rows.get(table)
    if rows is None:
        return
    if kind == "add":
        rows.append({"enabled": "1", "comparison": "equals"})
    place = next((number for number, row in enumerate(rows) if row.get("key") == key), None)
    if place is not None and kind == "copy":
        rows.insert(place + 1, {name: text for name, text in rows[place].items() if name not in ("key", "stored", "sealed")})
    elif place is not None and kind == "drop":
        del rows[place]
