"""How hard a password is to guess, judged here and offline, and which ones are refused."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from zxcvbn import zxcvbn  # type: ignore[import-untyped]
from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]
from zxcvbn.matching import L33T_TABLE  # type: ignore[import-untyped]

from hub.accounts.passwords import MAX_LENGTH, MIN_LENGTH

#: Below it a password would be guessed within a million tries.
LEAST_SCORE = 2
#: The estimate takes longer than in proportion to the length, so only the beginning is judged. What follows makes it no weaker.
_JUDGED = 32
#: Signs that stand for letters ("p4$$w0rd") are tried in all combinations: so many different ones are looked at.
_SUBSTITUTES = 6
_SUBSTITUTE_SIGNS = frozenset(sign for signs in L33T_TABLE.values() for sign in signs)
_COMMON = frozenset(FREQUENCY_LISTS["passwords"])
#: What everybody would think of here.
_OWN_WORDS = ("ai-http-hub", "ai-http hub", "ai http hub", "aihttphub", "ai-http", "aihttp", "hub", "n8n", "workflow")


@dataclass(frozen=True, slots=True)
class Strength:
    """``score`` from 0 (guessed at once) to 4 (good for years), in ``words``, and how to do better where that is known."""

    score: int
    words: str
    advice: str


def estimate_strength(password: str, about: Iterable[str] = ()) -> Strength:
    """How hard a password is to guess by somebody who knows what is said ``about`` its owner (name, e-mail address)."""
    password = unicodedata.normalize("NFKC", password)
    known = [*_OWN_WORDS, *(word for text in about for word in (text, *text.replace("@", " ").split()) if len(word) > 2)]
    estimate = zxcvbn(_judged_part(password), user_inputs=known)
    score = 0 if is_common(password) or len(password) < MIN_LENGTH else int(estimate["score"])
    if len(password) < MIN_LENGTH:
        advice = _("Use at least %(minimum)s characters.", minimum=MIN_LENGTH)
    elif is_common(password):
        advice = _("This is one of the commonest passwords.")
    else:
        advice = _advice(estimate["feedback"]["warning"]) if score < 3 else ""
    return Strength(score, _words(score), advice)


def _judged_part(password: str) -> str:
    """The beginning, with few enough substitutes that judging it stays quick whatever was typed."""
    allowed: set[str] = set()
    signs = []
    for sign in password[:_JUDGED]:
        if sign in _SUBSTITUTE_SIGNS and sign not in allowed:
            if len(allowed) == _SUBSTITUTES:
                sign = "~"
            else:
                allowed.add(sign)
        signs.append(sign)
    return "".join(signs)


def is_common(password: str) -> bool:
    """Whether it is among the 30,000 commonest of passwords that leaked."""
    return password.lower() in _COMMON


def password_problem(password: str, about: Iterable[str] = ()) -> str | None:
    """What speaks against a new password, for the person who typed it; None where nothing does."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        limits = {"minimum": MIN_LENGTH, "maximum": MAX_LENGTH}
        return _("Use at least %(minimum)s and at most %(maximum)s characters.", **limits)
    strength = estimate_strength(password, about)
    if strength.score >= LEAST_SCORE:
        return None
    return " ".join(filter(None, (_("This password is too easy to guess."), strength.advice)))


def _words(score: int) -> str:
    return (_("Very weak"), _("Weak"), _("Fair"), _("Good"), _("Strong"))[score]


def _advice(warning: str) -> str:
    """zxcvbn's warning in the reader's language; else what helps always."""
    repeats = _("Repeated words and characters add little.")
    keys = _("Rows of keys are easy to guess.")
    common = _("It resembles a common password.")
    names = _("Names are easy to guess.")
    advice = {
        "Straight rows of keys are easy to guess.": keys,
        "Short keyboard patterns are easy to guess.": keys,
        'Repeats like "aaa" are easy to guess.': repeats,
        'Repeats like "abcabcabc" are only slightly harder to guess than "abc".': repeats,
        'Sequences like "abc" or "6543" are easy to guess.': _("Sequences such as abc or 6543 are easy to guess."),
        "Recent years are easy to guess.": _("Dates and years are easy to guess."),
        "Dates are often easy to guess.": _("Dates and years are easy to guess."),
        "This is a top-10 common password.": common,
        "This is a top-100 common password.": common,
        "This is a very common password.": common,
        "This is similar to a commonly used password.": common,
        "A word by itself is easy to guess.": _("One word is easy to guess."),
        "Names and surnames by themselves are easy to guess.": names,
        "Common names and surnames are easy to guess.": names,
    }
    return advice.get(warning) or _("Add another word or two.")
