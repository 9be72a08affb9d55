"""Masks personal data (e-mail, phone, card, IP address): equal values get equal typed tokens, so that they can be compared."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_EMAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}")
_CARD = re.compile(r"(?<![\w.+-])(?:\d[ -]?){12,18}\d(?![\w.-])")
_IP = re.compile(
    r"(?<![\w.:/-])(?:\d{1,3}(?:\.\d{1,3}){3})(?![\w.])|(?<=//)\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"
    r"|(?<![\w.:])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::|[0-9A-Fa-f]{1,4})(?::?[0-9A-Fa-f]{1,4})*(?![\w:])"
)
_PHONE = re.compile(
    r"(?<![\w.+/=-])(?:(?:\+|00)\d[\d\s().-]{6,17}\d|0\d{8,10}|\(\d{2,4}\)\s?\d{3}[\s-]?\d{3,4}|\d{3}[-. ]\d{3}[-. ]\d{4})"
    r"(?![\w.-]?\w)"
)
_PHONE_NAME = re.compile(r"phone|mobile|whatsapp|(?:^|_)(?:tel|msisdn|wa_id)$|جوال|هاتف|موبايل", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Masked:
    """A value without personal data. ``originals`` has the value of each token, to read prose, never to write patches."""

    value: Any
    originals: Mapping[str, str]

    def restore(self, text: str) -> str:
        """The prose with the values put back."""
        return re.sub(r"<(?:EMAIL|PHONE|CARD|IP)_\d+>", lambda found: self.originals.get(found.group(), found.group()), text)


def mask_personal(value: Any) -> Masked:
    """The JSON value with e-mail addresses, phone and card numbers and IP addresses replaced by ``<EMAIL_1>`` and the like."""
    masking = _Masking()
    masked = masking.mask(value)
    return Masked(masked, {token: original for original, token in masking.tokens.items()})


class _Masking:
    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def mask(self, value: Any, name: str = "") -> Any:
        """A copy of the value with tokens."""
        if isinstance(value, str):
            return self._mask_text(value, name)
        if isinstance(value, list | tuple):
            return [self.mask(entry, name) for entry in value]
        if isinstance(value, dict):
            return {self._mask_text(key): self.mask(entry, key) for key, entry in value.items()}
        if isinstance(value, int) and not isinstance(value, bool) and self._is_personal_number(str(value), name):
            return self._token("CARD" if _is_card(str(value)) else "PHONE", str(value))
        return value

    def _is_personal_number(self, digits: str, name: str) -> bool:
        return len(digits) >= 8 and (bool(_PHONE_NAME.search(name)) or (len(digits) >= 15 and _is_card(digits)))

    def _mask_text(self, text: str, name: str = "") -> str:
        if "@" in text:
            text = self._replace("EMAIL", _EMAIL, text, lambda _: True)
        if not any(letter.isdigit() for letter in text) and "::" not in text:
            return text
        if _PHONE_NAME.search(name) and re.fullmatch(r"[\d\s().+-]{7,20}", text):
            return self._token("PHONE", text)
        text = self._replace("IP", _IP, text, _is_address)
        text = self._replace("CARD", _CARD, text, _is_card)
        return self._replace("PHONE", _PHONE, text, lambda found: not re.match(r"\d{4}-\d{2}-\d{2}", found))

    def _replace(self, kind: str, pattern: re.Pattern[str], text: str, accepts: Callable[[str], bool]) -> str:
        return pattern.sub(
            lambda found: self._token(kind, found.group()) if accepts(found.group()) else found.group(),
            text,
        )

    def _token(self, kind: str, value: str) -> str:
        if value not in self.tokens:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self.tokens[value] = f"<{kind}_{self._counts[kind]}>"
        return self.tokens[value]


def _is_card(text: str) -> bool:
    """Whether the digits are a card's: they begin with 2 to 6 (milliseconds of today with 1) and pass Luhn's check."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return 13 <= len(digits) <= 19 and 2 <= digits[0] <= 6 and (sum(digits[-1::-2]) + doubled) % 10 == 0


def _is_address(text: str) -> bool:
    """Whether it is an IP address of somebody; the machine's own is nobody's."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
