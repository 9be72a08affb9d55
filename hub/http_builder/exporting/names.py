"""Names of exported files."""

from __future__ import annotations

import re


def file_name(name: str, extension: str) -> str:
    """A short file name of plain letters out of a request's name."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    return f"{'-'.join(words).lower()[:60].strip('-') or 'request'}.{extension}"
