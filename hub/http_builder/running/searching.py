"""JSONPath (RFC 9535) and regular expressions of people, over answers of strangers: each ends soon, whatever it is.

A plain path is walked here, with a deadline that is looked at on every step. What no step can interrupt, a regular expression or
a filter within a path, runs in a child process with limits of time and memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonpath import CompoundJSONPath, JSONPathEnvironment, JSONPathError, JSONPathMatch

MAX_EXPRESSION = 1000
#: How much of a text a regular expression looks at, in characters.
MAX_TEXT = 1_000_000
WALK_SECONDS = 2.0
#: The child limits its processor time itself; this is for a machine that is too busy to run it.
CHILD_SECONDS = 10.0
_PROBE = Path(__file__).with_name("probe.py")


@dataclass(frozen=True, slots=True)
class PathQuery:
    """The first match of a JSONPath in the body."""

    path: str


@dataclass(frozen=True, slots=True)
class PatternQuery:
    """The first match of a regular expression in a text."""

    pattern: str
    text: str


@dataclass(frozen=True, slots=True)
class _AllQuery:
    """The keys of the first ``most`` matches of a JSONPath."""

    path: str
    most: int


Query = PathQuery | PatternQuery
_Asked = Query | _AllQuery


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found: ``values`` holds the first match or nothing; ``problem`` says why nothing could be found.

    Problems: ``not-json``, ``bad-path``, ``bad-pattern``, ``too-long`` (the expression), ``too-slow``.
    """

    values: tuple[Any, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where a path matches: the keys to each node. ``complete`` is False where there are more, or the search was given up."""

    keys: tuple[tuple[str | int, ...], ...] = ()
    complete: bool = True
    problem: str | None = None


class _TooSlow(Exception):
    pass


class _Deadline(threading.local):
    at = 0.0


_deadline = _Deadline()


class _TimedMatch(JSONPathMatch):
    __slots__ = ()

    def new_child(self, obj: object, key: int | str) -> JSONPathMatch:
        if time.monotonic() > _deadline.at:
            raise _TooSlow
        return super().new_child(obj, key)


_ENVIRONMENT = JSONPathEnvironment(strict=True)


class Body:
    """The text of an answer, read as JSON once and only where somebody asks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._parsed: tuple[Any] | None = None
        self._is_json = True

    def parse(self) -> Any:
        """The JSON value; ValueError where it is none."""
        if self._parsed is None and self._is_json:
            try:
                self._parsed = (json.loads(self.text),)
            except (ValueError, RecursionError):
                self._is_json = False
        if self._parsed is None:
            raise ValueError("no JSON")
        return self._parsed[0]


def search(queries: Sequence[Query], body: Body) -> list[Found]:
    """The answers in the order of the queries. Never raises."""
    answers: dict[int, Found] = {}
    apart: dict[int, Query] = {}
    for place, query in enumerate(queries):
        expression = query.path if isinstance(query, PathQuery) else query.pattern
        if len(expression) > MAX_EXPRESSION:
            answers[place] = Found(problem="too-long")
        elif isinstance(query, PathQuery) and "?" not in query.path:
            answers[place] = _walk(query.path, body)
        else:
            apart[place] = query
    answers.update(zip(apart, _search_apart(list(apart.values()), body), strict=True))
    return [answers[place] for place in range(len(queries))]


def find_places(path: str, body: Body, most: int) -> Places:
    """The first ``most`` nodes that a JSONPath matches, in its order. Never raises."""
    if len(path) > MAX_EXPRESSION:
        return Places(problem="too-long")
    if "?" in path:
        [found] = _search_apart([_AllQuery(path, most + 1)], body)
        places = [tuple(keys) for keys in found.values]
        return Places(tuple(places[:most]), len(places) <= most, found.problem)
    places = []
    try:
        for match in _matches(path, body):
            if len(places) == most:
                return Places(tuple(places), complete=False)
            places.append(match.parts)
    except _TooSlow:
        return Places(tuple(places), complete=False, problem=None if places else "too-slow")
    except (ValueError, JSONPathError, RecursionError) as error:
        return Places(problem=_name_problem(error))
    return Places(tuple(places))


def _walk(path: str, body: Body) -> Found:
    try:
        match = next(iter(_matches(path, body)), None)
    except (ValueError, _TooSlow, JSONPathError, RecursionError) as error:
        return Found(problem=_name_problem(error))
    return Found((match.obj,) if match else ())


def _matches(path: str, body: Body) -> Iterable[JSONPathMatch]:
    _deadline.at = time.monotonic() + WALK_SECONDS
    compiled = _ENVIRONMENT.compile(path)
    if isinstance(compiled, CompoundJSONPath):
        raise JSONPathError("only one path")
    value = body.parse()
    nodes: Iterable[JSONPathMatch] = [_TimedMatch(filter_context={}, obj=value, parent=None, path="$", parts=(), root=value)]
    for segment in compiled.segments:
        nodes = segment.resolve(nodes)
    return nodes


def _name_problem(error: Exception) -> str:
    if isinstance(error, JSONPathError | RecursionError):
        return "bad-path"
    return "too-slow" if isinstance(error, _TooSlow) else "not-json"


def _search_apart(queries: Sequence[_Asked], body: Body) -> list[Found]:
    if not queries:
        return []
    needs_body = any(not isinstance(query, PatternQuery) for query in queries)
    if needs_body:
        try:
            body.parse()
        except ValueError:
            return _without_json(queries, body)
    asked = {"body": body.text if needs_body else "", "queries": [_as_json(query) for query in queries]}
    command = [sys.executable, "-I", str(_PROBE)]
    try:
        done = subprocess.run(command, input=json.dumps(asked).encode(), capture_output=True, timeout=CHILD_SECONDS)  # noqa: S603
        output = done.stdout
    except subprocess.TimeoutExpired as late:
        output = late.stdout or b""
    answers = [_as_found(line) for line in output.split(b"\n") if line]
    # The first without an answer is the one that did not end; those after it never had their turn.
    return answers + [Found(problem="too-slow")] * (len(queries) - len(answers))


def _without_json(queries: Sequence[_Asked], body: Body) -> list[Found]:
    patterns = iter(_search_apart([query for query in queries if isinstance(query, PatternQuery)], body))
    return [next(patterns) if isinstance(query, PatternQuery) else Found(problem="not-json") for query in queries]


def _as_json(query: _Asked) -> dict[str, str | int]:
    if isinstance(query, _AllQuery):
        return {"kind": "all", "path": query.path, "most": query.most}
    if isinstance(query, PathQuery):
        return {"kind": "path", "path": query.path}
    return {"kind": "pattern", "pattern": query.pattern, "text": query.text[:MAX_TEXT]}


def _as_found(line: bytes) -> Found:
    answer = json.loads(line)
    return Found(tuple(answer.get("found", ())), answer.get("problem"))
