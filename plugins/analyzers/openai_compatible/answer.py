"""The form of an answer: evidence first, confidence last, because models write in this order; and a reader that forgives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from hub.plugin_api import Cause

_MOST_CHARACTERS = 200_000
_MOST_CANDIDATES = 20

Json = dict[str, Any]
T = TypeVar("T")


class Unreadable(Exception):
    """No answer in the text. ``problems`` say why, for the model to read."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _clip(length: int) -> Callable[[Any], Any]:
    def clip(value: Any) -> Any:
        return "" if value is None else value[:length] if isinstance(value, str | list) else value

    return clip


def _slug(value: Any) -> Any:
    return value.strip().lower().replace("_", "-").replace(" ", "-") if isinstance(value, str) else value


Short = Annotated[str, BeforeValidator(_clip(120)), Field(max_length=120)]
Sentence = Annotated[str, BeforeValidator(_clip(300)), Field(max_length=300)]
Paragraph = Annotated[str, BeforeValidator(_clip(900)), Field(max_length=900)]
JsonText = Annotated[str, BeforeValidator(_clip(6000)), Field(max_length=6000)]


class AnsweredQuote(BaseModel):
    """Words copied from the data, and what they show."""

    quote: Sentence
    shows: Sentence = ""


class AnsweredEdit(BaseModel):
    """One change of one node, found by its name. Values are JSON texts, because a strict schema has no type for any value."""

    node: Sentence
    path: Sentence
    op: Literal["replace", "add", "remove"]
    old_value_json: JsonText = ""
    new_value_json: JsonText = ""
    why: Sentence = ""


class Answer(BaseModel):
    """What a model says of a failure."""

    evidence: Annotated[list[AnsweredQuote], BeforeValidator(_clip(6)), Field(max_length=6)] = []
    cause: Annotated[Cause, BeforeValidator(_slug)]
    node: Sentence = ""
    explanation_en: Paragraph
    explanation_ar: Paragraph = ""
    fix_title_en: Short = ""
    fix_title_ar: Short = ""
    fix_en: Paragraph = ""
    fix_ar: Paragraph = ""
    edits: Annotated[list[AnsweredEdit], BeforeValidator(_clip(6)), Field(max_length=6)] = []
    confidence: float


def answer_schema(*, bounded: bool) -> Json:
    """The JSON schema of ``Answer`` in the subset that strict servers take: no references, every field required."""
    document = Answer.model_json_schema()
    definitions = document.pop("$defs")

    def plain(part: Any) -> Any:
        if isinstance(part, list):
            return [plain(entry) for entry in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return plain(definitions[part["$ref"].rpartition("/")[2]])
        dropped = {"title", "default", "description"} | (set() if bounded else {"maxLength"})
        kept = {key: value for key, value in part.items() if key not in dropped}
        if kept.get("type") == "object":
            properties = {name: plain(value) for name, value in kept["properties"].items()}
            return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
        return {key: plain(value) for key, value in kept.items()}

    schema: Json = plain(document)
    return schema


def read_answer(text: str) -> Answer:
    """The answer in whatever a model wrote around it (thoughts, fences, words); ``Unreadable`` if there is none."""
    return read_object(text, Answer.model_validate)


def read_object(text: str, validate: Callable[[Any], T]) -> T:
    """The first JSON object of the text that ``validate`` takes."""
    problems: list[str] = []
    for candidate in _objects(without_thoughts(text[:_MOST_CHARACTERS])):
        try:
            return validate(candidate)
        except ValidationError as error:
            found = [f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors()[:8]]
            problems = problems or found
    raise Unreadable(problems or ["there is no JSON object in it"])


def without_thoughts(text: str) -> str:
    """The text without what a reasoning model thought aloud; an end without a beginning ends a thought, too."""
    text = re.sub(r"<think(?:ing)?>.*?</think(?:ing)?>", "", text, flags=re.DOTALL | re.IGNORECASE)
    return re.sub(r"^.*</think(?:ing)?>", "", text, flags=re.DOTALL | re.IGNORECASE)


def _objects(text: str) -> Iterator[Any]:
    """The outermost JSON objects of the text, in order."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    for _candidate in range(_MOST_CANDIDATES):
        if start < 0:
            return
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield value
        start = text.find("{", end)
