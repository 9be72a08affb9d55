"""Whether two names of fields are one name written in two ways: what may be read in the place of a field that is not there.

Stricter than :func:`fields.similarity`, which ranks: ``billing_address`` is much like ``shipping_address``, yet another thing.
"""

from __future__ import annotations

import re
import unicodedata

from rapidfuzz.distance import OSA

#: Words that say no more about a field than its name does: ``phone_number`` is ``phone``.
_FILLING = frozenset(("number", "no", "text", "value", "name", "address", "list", "full", "str"))
#: Different words for one thing.
_SYNONYMS = (
    frozenset(("mail", "email")),
    frozenset(("amount", "value", "total", "sum")),
    frozenset(("quantity", "qty", "pieces")),
)
#: What services and n8n wrap data into: a field keeps its meaning below it.
ENVELOPES = frozenset(
    (
        *("json", "body", "data", "result", "results", "response", "payload", "attributes", "fields", "properties", "content"),
        *("node", "nodes", "edge", "edges", "item", "items", "record", "records", "row", "rows", "value", "values", "entries"),
        *("output", "object", "list", "message", "details", "hits", "query", "params"),
    )
)
#: Fields that everything has: below ``manager`` they are the manager's, and nobody else's.
_OF_ITS_HOLDER = frozenset(
    ("id", "uuid", "key", "name", "title", "label", "type", "kind", "code", "status", "state", "value", "text", "date", "number")
)
#: Arabic letters that are often written for one another.
_LETTERS = str.maketrans("أإآٱةىیئکؤ", "ااااهيييكو")
#: Vowel signs, the stretching sign, and marks of direction, which are not seen or not meant.
_UNSEEN = re.compile("[\u064b-\u065f\u0670\u0640\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SHORT, _LONG = 6, 8


def fold(name: str) -> str:
    """Lower case; Arabic letters without their hamzas, vowel signs and stretching; digits as 0 to 9."""
    if name.isascii():
        return name.lower()
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", name)).translate(_LETTERS)
    return "".join(str(unicodedata.digit(sign, sign)) for sign in plain).lower()


def is_alike(wanted: str, found: str) -> bool:
    """Whether the two are one name but for case, word marks, plural, a slip of the pen, or a word that adds nothing."""
    first, second = _words(wanted), _words(found)
    if not first or not second or _digits(fold(wanted)) != _digits(fold(found)):
        return False
    joined = "".join(first), "".join(second)
    if joined[0].removesuffix("s") == joined[1].removesuffix("s") or any(set(joined) <= group for group in _SYNONYMS):
        return True
    if len(first) == len(second):
        different = [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]]
        return len(different) == 1 and _is_slip(*different[0])
    if _has_letters_more(*sorted(joined, key=len)):
        return True
    shorter, longer = sorted((first, second), key=len)
    rest = longer[len(shorter) :] if longer[: len(shorter)] == shorter else longer[: -len(shorter)]
    return longer in (shorter + rest, rest + shorter) and set(rest) <= _FILLING


def adds_only_words(short: str, long: str) -> bool:
    """Whether the longer name is the shorter one with more words before or behind it: ``email``, ``guest_email``."""
    first, second = _words(short), _words(long)
    size = len(first)
    return 0 < size < len(second) and first in (second[:size], second[-size:])


def is_of_its_holder(key: str) -> bool:
    """Whether a field means something else in each object: a name, an id."""
    return fold(key) in _OF_ITS_HOLDER


def is_envelope(key: str | int) -> bool:
    """Whether the key only wraps what lies below it."""
    return isinstance(key, int) or key.lower() in ENVELOPES


def _has_letters_more(short: str, long: str) -> bool:
    """``postcode`` and ``postal-code``: a long name with a letter or two more inside."""
    rest = iter(long)
    ends = short[0] == long[0] and short[-1] == long[-1]
    return len(short) >= _LONG and len(long) - len(short) <= 2 and ends and all(letter in rest for letter in short)


def _is_slip(one: str, other: str) -> bool:
    if one.removesuffix("s") == other.removesuffix("s"):
        return True
    shorter, longer = sorted((one, other), key=len)
    if shorter[0] != longer[0]:
        return False
    if len(shorter) >= _SHORT and longer.startswith(shorter) and len(longer) - len(shorter) <= 3:
        return True  # percent, percentage
    if 3 <= len(shorter) < len(longer) and not re.search(r"[aeiou]", shorter[1:]) and shorter.isascii():
        rest = iter(longer)
        return all(letter in rest for letter in shorter)  # qty, quantity
    # In a short word another letter makes another word: date, rate.
    swapped = len(one) == len(other) and sorted(one) == sorted(other)
    most = 2 if len(shorter) >= _LONG else 1
    if len(shorter) < 4 or OSA.distance(one, other) > most:
        return False
    return swapped or len(shorter) >= _SHORT or (one[-1] == other[-1] and (len(shorter) == 5 or len(one) != len(other)))


def _words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name))
    return [folded for word in re.split(r"[\s_\-.]+", spaced) if (folded := fold(word))]


def _digits(name: str) -> list[str]:
    return re.findall(r"\d+", name)
