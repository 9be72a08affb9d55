"""Reading values that may be anything: documents of strangers keep to no schema."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_plus

from hub.contracts.http import Pair

MAX_DESCRIPTION = 5_000
_NO_NAME = re.compile(r"[^A-Za-z0-9_]+")
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PLACEHOLDER = re.compile(r"\{\{([^{}\"\\\n]{1,140})\}\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
#: What other programs make anew for every sending, by our names.
_BUILT_IN = {"$guid": "$uuid", "$randomUUID": "$uuid"}


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [item for item in sequence(value) if isinstance(item, dict)]


def text(value: Any, limit: int | None = None) -> str:
    """What a form or a URL would hold for the value: texts as they are, nothing for null, JSON for the rest."""
    if isinstance(value, str):
        return value[:limit]
    return ("" if value is None else json.dumps(value, ensure_ascii=False))[:limit]


def description(value: Any, limit: int = MAX_DESCRIPTION) -> str | None:
    """A description as text; Postman, Bruno and others also write ``{"content": ...}``."""
    words = text(mapping(value).get("content") if isinstance(value, dict) else value, limit).strip()
    return words or None


def variable_name(words: str, *, default: str = "value") -> str:
    """``words`` as the name of a variable: itself where it is one already."""
    if _NAME.fullmatch(words) and len(words) <= 100:
        return words
    name = _NO_NAME.sub("_", words).strip("_")[:100]
    return f"_{name}" if name[:1].isdigit() else name or default


def secret_name(*words: str) -> str:
    """The name of a secret variable in capitals: ``("bearerAuth", "token")`` gives ``BEARER_AUTH_TOKEN``."""
    broken = _WORD_BREAK.sub("_", " ".join(word for word in words if word))
    return variable_name(_NO_NAME.sub("_", broken)).upper()


def rename_placeholders(words: str) -> str:
    """``{{ my key }}`` as ``{{my_key}}``: names of other programs as names of ours; ``{{$guid}}`` and its like stay."""
    return _PLACEHOLDER.sub(_rename, words) if "{{" in words else words


def _rename(match: re.Match[str]) -> str:
    name = match[1].strip().removeprefix("_.")  # Insomnia's way to name a variable of an environment
    return f"{{{{{_BUILT_IN.get(name) or (name if name.startswith('$') else variable_name(name))}}}}}"


def split_url(url: str) -> tuple[str, list[Pair]]:
    """The URL without query and fragment, and the query's rows, decoded; placeholders stay."""
    base, _mark, query = url.partition("#")[0].partition("?")
    rows = []
    for part in query.split("&") if query else []:
        name, _equals, value = part.partition("=")
        rows.append(Pair(name=unquote_plus(name), value=unquote_plus(value)))
    return base, rows
