"""What has to be done to a text before it is parsed as JSON; tried on every text that the execution shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

#: JavaScript around the text (``{}``), and the same in Python.
_WAYS: Sequence[tuple[str, Callable[[str], str]]] = (
    (
        r"String({}).replace(/^\s*```(?:json)?\s*|\s*```\s*$/g, '')",
        lambda text: re.sub(r"^\s*```(?:json)?\s*|\s*```\s*$", "", text),
    ),
    (
        r"String({}).replace(/^[^[{{]*(?=[[{{])|[^\]}}]*$/g, '')",
        lambda text: re.sub(r"^[^\[{]*(?=[\[{])|[^\]}]*$", "", text),
    ),
    (
        r"String({}).replace(/,(?=\s*[}}\]])/g, '')",
        lambda text: re.sub(r",(?=\s*[}\]])", "", text),
    ),
    (
        r"String({}).replaceAll('\'', '\"')",
        lambda text: text.replace("'", '"'),
    ),
)


def parsable(texts: Sequence[Any], code: str) -> str | None:
    """Code for the text with the one change after which all of the texts parse to a list or an object; None without one."""
    given = [text for text in texts if isinstance(text, str)]
    if len(given) != len(texts) or not given:
        return None
    if any(not text.strip() for text in given):
        kinds = {_kind(text) for text in given if text.strip()}
        # What the other entries hold says what an empty one is.
        return f"{code} || '{'{}' if kinds == {dict} else '[]'}'" if kinds in ({dict}, {list}) else None
    for form, change in _WAYS:
        if all(_kind(change(text)) in (dict, list) for text in given):
            return form.format(code)
    return None


def _kind(text: str) -> type | None:
    try:
        return type(json.loads(text))
    except ValueError:
        return None
