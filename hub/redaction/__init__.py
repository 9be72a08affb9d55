"""The one place that takes secrets out of JSON and text, before anything is stored, shown or sent to an analyzer.

Four layers find secrets: names (of keys, of name/value pairs, of query parameters, of assignments in text), the forms that
providers give their keys, random texts, and values known to the caller. A value that is found once is replaced wherever it
stands in the payload, in any of its spellings. Equal values get equal tokens (``<SECRET_1>``), so the result is stable and
can still be compared. ``mask_personal`` does the same to personal data, for what goes to a remote model.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.redaction.names import is_secret_name
from hub.redaction.personal import Masked, mask_personal
from hub.redaction.search import Search, texts_of
from hub.redaction.tokens import TOKEN, Redacted, Secrets

__all__ = [
    "TOKEN",
    "Masked",
    "Redacted",
    "Secrets",
    "find_secrets",
    "find_secrets_of_part",
    "is_secret_name",
    "mask_personal",
    "redact",
    "redact_text",
]


def redact(value: Any, *, known_secrets: Iterable[str] = ()) -> Redacted:
    """The JSON value with every secret replaced by a token. Pure and deterministic; the input is not changed."""
    return find_secrets(value, known_secrets=known_secrets).remove_from(value)


def redact_text(text: str, *, known_secrets: Iterable[str] = ()) -> Redacted:
    """The text with every secret replaced by a token."""
    return redact(text, known_secrets=known_secrets)


def find_secrets(value: Any, *, known_secrets: Iterable[str] = ()) -> Secrets:
    """Everything in the JSON value that looks like a secret, plus the known ones, ready to be taken out of any part of it."""
    search = _start(known_secrets)
    search.walk_names(value)
    search.walk_shapes(value)
    return _finish(search)


def find_secrets_of_part(part: Any, whole: Any, *, known_secrets: Iterable[str] = ()) -> Secrets:
    """The secrets that stand in a part of a payload, the names being looked for in all of it.

    A secret's form is seen where it stands; what only a name tells may be named in what the part leaves out.
    """
    search = _start(known_secrets)
    search.walk_names(part)
    search.walk_shapes(part)
    search.walk_names(whole)
    search.only_in("\n".join(texts_of(part)))
    return _finish(search)


def _start(known_secrets: Iterable[str]) -> Search:
    search = Search()
    for known in known_secrets:
        search.add(known)
    return search


def _finish(search: Search) -> Secrets:
    """Each value with its token; numbers that the payload already uses are left out."""
    return Secrets({value: f"<SECRET_{number}>" for number, value in enumerate(search.values, search.highest + 1)})
