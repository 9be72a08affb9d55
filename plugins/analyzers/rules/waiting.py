"""How long a service asks to be left alone: seconds, a quota's day, or the time when its maintenance ends."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.rule import regex

_UNITS = {"ms": 0.001, "m": 60.0, "h": 3600.0, "d": 86400.0}
_WAIT = regex(
    r"(?:retry|try again|wait|reset|available|back)[^.\d]{0,40}?(\d+(?:\.\d+)?)\s*(milliseconds?|ms|seconds?|secs?|s|minutes?"
    r"|mins?|m|hours?|hrs?|h|days?|d)\b"
)
_RATE = regex(r"(\d+)\s*(?:requests?|calls?|queries|messages?|req)?\s*(?:per|/|every|each|a)\s*(second|sec|s|minute|min|hour)\b")
_SECONDS = {"second": 1, "sec": 1, "s": 1, "minute": 60, "min": 60, "hour": 3600}
#: Fields of an answer that give a wait in seconds (or, by their name, in milliseconds).
_WAIT_KEY = regex(r"^(?:retry|reset|wait)[_\-]?(?:s|after|in|for|time)?[_\-]?(?:s|sec|seconds?|ms|milliseconds)?$")
#: A plan's limit: it is filled up again the next day or month, not within a minute.
_LONG_QUOTA = regex(
    r"\b(?:daily|weekly|monthly|yearly|annual|hourly)\b|(?:per|a|each|this|this calendar|/) ?(?:day|week|month|year|hour)\b"
    r"|24[- ]?h(?:ours?)?\b|\btoday\b|heute"
    r"|tomorrow|midnight|next (?:day|week|month|billing)|\b00:00\b|(?:billing|plan) (?:period|cycle)"
    r"|tageslimit|tageskontingent|monatslimit|monatskontingent|t[äa]glich|monatlich|pro (?:tag|monat)|mitternacht|morgen\b"
    r"|quotidien|mensuel|par (?:jour|mois)|demain|minuit|\bdiari[oa]|mensual|por (?:d[ií]a|mes)|mañana|medianoche"
    r"|giornalier|mensile|per (?:dag|maand)|dagelijks|يومي|اليوم|شهري|الشهر|غد[اً]|منتصف الليل"
)
#: Words of a 429 about an amount, not a pace.
_USED_UP = regex(
    r"used up|used (?:all|\d+)|exhausted|depleted|allowance|aufgebraucht|épuisé|agotad|نفد|(\d{3,}) ?(?:/|of|out of) ?\1\b"
)
_SHORT_PERIOD = regex(
    r"per (?:second|minute|\d+ seconds|sec|min)\b|/ ?(?:s|sec|second|min|minute)\b|(?:a|each|every) (?:second|minute)\b"
)
_MAINTENANCE = regex(
    r"maintenance|planned (?:outage|downtime)|scheduled downtime|wartung|entretien|mantenimiento|manuten|onderhoud|صيانة"
)
_UNTIL = regex(
    r"(?:until|till|resum\w*|back (?:online )?(?:at|on)|again (?:at|on|from|after)|resets? (?:at|on)|retry (?:after|at)"
    r"|available (?:at|from|on|after)|\bbis\b|jusqu|hasta|fino a|até|\btot\b|حتى)[^\n<]{0,40}?"
    r"(?:\d{1,2}[:.h]\d{2}|\d{4}-\d\d|\d{1,2} ?(?:am|pm|uhr)\b|(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|morning)"
)


def stated_wait(case: Case) -> float | None:
    """The seconds that the service asks to wait, where its answer says so in words or in a field of its own."""
    found = _WAIT.search(_said(case))
    if not found:
        return max(_wait_fields(case.answer), default=None)
    unit = found.group(2).lower()
    factor = _UNITS["ms"] if unit.startswith(("ms", "milli")) else _UNITS.get(unit[0], 1.0)
    return max((float(found.group(1)) * factor, *_wait_fields(case.answer)))


def stated_interval(case: Case) -> float | None:
    """The seconds between two calls that the service's stated rate leaves."""
    found = _RATE.search(case.words)
    return _SECONDS[found.group(2).lower()] / max(int(found.group(1)), 1) if found else None


def asks_for_patience(case: Case, seconds: float) -> bool:
    """Whether the answer names a wait of more than so many seconds: a quota's day, a maintenance, a time of the day."""
    said = _said(case)
    wait = stated_wait(case)
    if wait is not None and wait > seconds:
        return True
    if _UNTIL.search(said) or (_MAINTENANCE.search(said) and wait is None):
        return True
    is_quota = _LONG_QUOTA.search(said) or (case.status == 429 and _USED_UP.search(said))
    return bool(is_quota) and not _SHORT_PERIOD.search(said)


def _said(case: Case) -> str:
    """What the service says; n8n's own words for the status speak of trying again, too."""
    return html.unescape("\n".join((case.error.description or "", *case.error.messages, case.answer_text)))


def _wait_fields(answer: Any) -> Iterator[float]:
    if isinstance(answer, list):
        for entry in answer:
            yield from _wait_fields(entry)
    for key, value in answer.items() if isinstance(answer, dict) else ():
        if isinstance(value, dict | list):
            yield from _wait_fields(value)
        elif _WAIT_KEY.match(_snake(key)) and re.fullmatch(r"\d+(?:\.\d+)?", str(value)):
            yield float(value) / (1000 if re.search(r"ms$|milli", key, re.IGNORECASE) else 1)


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key)
