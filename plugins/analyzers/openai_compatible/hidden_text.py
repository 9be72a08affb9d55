"""Text without what a reader does not see, and the traces of words that are meant for a model."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
#: Besides the format characters: fillers and selectors that show nothing.
_INVISIBLE = re.compile(r"[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0000-\U000e0fff]")
_CONTROL_KEPT = "\n\t"

#: Instructions in data. It is no wall: what a model says is contained whether or not one of these is found.
_INSTRUCTIONS = re.compile(
    r"(?:ignore|disregard|forget|override|bypass)\W{1,3}(?:\w+\W{1,3}){0,4}?(?:instruction|prompt|rule|context|polic|above|guideline)"
    r"|(?:new|updated|real|important|following|system|developer|admin\w*)\W{1,3}(?:instruction|prompt|message|override)s?\b"
    r"\W{0,3}[:\]>]"
    r"|\byou\W{1,3}(?:are|must|will|should|have)\W{1,3}(?:now|to\W{1,3}(?:act|answer|respond|output|set|change|remove))\b"
    r"|\bas\W{1,3}an?\W{1,3}(?:ai|llm|language model|assistant)\b"
    r"|\b(?:dear|attention|hey|note to)\W{1,3}(?:ai|llm|assistant|model)\b"
    r"|\b(?:explanation_en|old_value_json)\b"  # an answer of ours, made up beforehand
    r"|<\|?(?:im_start|im_end|system|assistant|endoftext|eot_id)\|?>|\[/?(?:INST|SYS)\]|<</?SYS>>|</?untrusted"
    r"|(?:^|[\n\"'.>])\s*(?:system|assistant|developer)\s*:\s"
    r"|\b(?:set|change|remove|delete|disable|replace|add|output|return|respond|answer|reply|say)\b[^.\n]{0,60}"
    r"\b(?:authentication|credentials?|api key|onError|continueRegularOutput|confidence|root cause|json patch|markdown image)\b"
    r"|\b(?:set|change|report|state|say)\W{1,3}(?:\w+\W{1,3}){0,3}?(?:cause|verdict|diagnosis)\b|!\[[^\]]*\]\(\s*https?:"
    r"|(?:تجاهل|تجاهلي|انس|انسَ|اهمل|أهمل)\s+(?:\S+\s+){0,3}?(?:التعليمات|الأوامر|القواعد|السابق|ما سبق)|أنت الآن",
    re.IGNORECASE,
)


def visible(text: str) -> str:
    """The text without HTML comments, invisible and control characters."""
    text = _INVISIBLE.sub("", _COMMENT.sub("", text))
    if text.isascii() and text.isprintable():
        return text
    return "".join(char for char in text if char in _CONTROL_KEPT or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co"))


def visible_json(value: Any) -> Any:
    """The JSON value with every text, keys too, made visible."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [visible_json(entry) for entry in value]
    if isinstance(value, dict):
        return {visible(key): visible_json(entry) for key, entry in value.items()}
    return value


def instructs(value: Any) -> bool:
    """Whether a text of the JSON value speaks to a model, or hides something from a reader."""
    if isinstance(value, str):
        hidden = any("\U000e0000" <= char <= "\U000e0fff" for char in value) or _COMMENT.search(value) is not None
        return hidden or _INSTRUCTIONS.search(visible(value)) is not None
    if isinstance(value, list):
        return any(map(instructs, value))
    return isinstance(value, dict) and any(instructs(key) or instructs(entry) for key, entry in value.items())
