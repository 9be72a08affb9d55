"""Numbers written as texts: the JavaScript that reads all of them exactly, or nothing where one of them would be misread."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ARABIC = re.compile(r"[٠-٩۰-۹٫٬]")
_EASTERN = {ord(sign): str(value % 10) for value, sign in enumerate("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")}
_DIGITS = (
    ".replace(/[٠-٩]/g, (digit) => digit.charCodeAt(0) - 1632).replace(/[۰-۹]/g, (digit) => digit.charCodeAt(0) - 1776)"
    ".replace(/٬/g, '').replace(/٫/g, '.')"
)
#: 1,234.50 and 1.234,50: each with what stands for the decimals alone.
_POINT = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_COMMA = re.compile(r"-?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?")
_READ_POINT = "Number(String({})DIGITS.replace(/[^\\d.-]/g, ''))"
_READ_COMMA = "Number(String({})DIGITS.replace(/[^\\d,-]/g, '').replace(',', '.'))"
#: A number with a unit or a currency before or behind it; neither has digits or signs of numbers in it.
_MEASURE = re.compile(r"\s*([^\d\s.,+\-−()٠-٩۰-۹]{0,4})\s*(-?\d[\d.,' \u00a0\u202f]*?)\s*([^\d\s.,+\-−()'٠-٩۰-۹]{0,4})\s*")
#: Signs behind a number that multiply it.
_MULTIPLIERS = frozenset(("k", "m", "mio", "mrd", "tsd", "bn", "b", "t", "e", "%", "‰", "الف", "ألف"))


def number_reading(values: Sequence[object]) -> str | None:
    """JavaScript (``{}`` is the value) that gives the number of every text; None where one has none, or might be another."""
    texts = [str(value) for value in values if isinstance(value, str)]
    parts = [_MEASURE.fullmatch(_western(text)) for text in texts]
    if not texts or not all(parts) or any(not isinstance(value, str | int | float) for value in values):
        return None
    found = [part.groups() for part in parts if part]
    units = {(before or after).strip().lower() for before, _, after in found} - {""}
    if (
        len(units) > 1
        or units & _MULTIPLIERS
        or any(before and (after or (number[0] == "-" and before.isalpha())) for before, number, after in found)
    ):
        return None
    numbers = [re.sub(r"[' \u00a0\u202f]", "", number) for _, number, _ in found]
    point, comma = (all(form.fullmatch(number) for number in numbers) for form in (_POINT, _COMMA))
    if not point and not comma:
        return None
    if point and comma and any(re.search(r"[.,]", number) for number in numbers):
        # 1,250 and 1.250 alone: JavaScript's own reading of a point counts, a comma may be either.
        if any("," in number for number in numbers):
            return None
        comma = False
    if comma and not point and any(isinstance(value, float) for value in values):
        return None  # 12.5 beside "12,5": the point would be taken for thousands
    digits = _DIGITS if any(_ARABIC.search(text) for text in texts) else ""
    if digits and comma and not point:
        return None
    return (_READ_POINT if point else _READ_COMMA).replace("DIGITS", digits)


def _western(text: str) -> str:
    return text.translate(_EASTERN).replace("٬", "").replace("٫", ".")
