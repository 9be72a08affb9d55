"""Text and JSON that can be stored and printed anywhere: n8n also gives NUL characters and lone surrogates."""

from __future__ import annotations

import json
import re
from typing import Any

#: How JSON spells what is taken out.
_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def clean_text(value: object, limit: int | None = None) -> str:
    """Text that both databases store: without NUL characters and lone surrogates. Ids come as numbers too."""
    text = value if isinstance(value, str) else str(value)
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text.replace("\0", "")[:limit]


def clean_json(value: Any) -> Any:
    """The JSON value with ``clean_text`` applied to every text; nearly always the value itself."""
    return _clean_deep(value) if _UNSTORABLE.search(json.dumps(value)) else value


def load_json(text: str) -> Any:
    """``json.loads``, cleaned; ValueError and RecursionError as it raises them."""
    value = json.loads(text)
    return _clean_deep(value) if _UNSTORABLE.search(text) else value


def _clean_deep(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean_deep(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): _clean_deep(item) for key, item in value.items()}
    return value
