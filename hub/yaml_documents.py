"""YAML of strangers: read with bounds on size, depth and aliases, by YAML 1.2's rules, to plain values with texts as keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from hub.storable import clean_text

MAX_YAML_BYTES = 5_000_000
MAX_DEPTH = 100
#: Values that a document may have once its aliases are written out.
MAX_YAML_VALUES = 1_000_000

#: What YAML 1.2 (JSON's words) takes for no text; 1.1 would make False of Norway's NO and seconds of 12:30.
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,300}\.[0-9]{0,300}|\.[0-9]{1,300}|[0-9]{1,300}(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?")


class YamlRefused(Exception):
    """The text is not read: ``not-yaml`` (with line, column and reason), too large, too deep, too many values behind aliases."""

    def __init__(self, code: str, **details: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.details = details

    def __str__(self) -> str:
        details = ", ".join(f"{name} {value}" for name, value in self.details.items())
        return f"{self.code}: {details}" if details else self.code


def read_yaml(text: str) -> Any:
    """The value of one YAML document. Raises ``YamlRefused``."""
    if len(text) > MAX_YAML_BYTES or (not text.isascii() and len(text.encode("utf-8", "replace")) > MAX_YAML_BYTES):
        raise YamlRefused("too-large", kind="YAML", limit=MAX_YAML_BYTES)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(clean_text(text))
    try:
        return _Builder(loader).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = {"line": mark.line + 1, "column": mark.column + 1} if mark else {"line": 1, "column": 1}
        raise YamlRefused("not-yaml", **place, reason=str(error.problem or error.context or "")[:200]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise YamlRefused("not-yaml", line=1, column=1, reason=type(error).__name__) from error
    finally:
        loader.dispose()


@dataclass(slots=True)
class _Open:
    """A list or a mapping that is not closed yet."""

    value: Any
    anchor: str | None
    size_before: int
    #: How many levels are below it.
    depth: int = 1
    key: str | None = None
    merged: list[Any] = field(default_factory=list)

    def add(self, value: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is None:
            if isinstance(value, dict | list):
                raise YamlRefused("not-yaml", line=1, column=1, reason="a key that is no text")
            self.key = clean_text("" if value is None else value)
        else:
            if self.key == "<<":
                self.merged.append(value)
            else:
                self.value[self.key] = value
            self.key = None

    def close(self) -> Any:
        """The finished value, with what ``<<`` names in the places that are still free."""
        for source in self.merged:
            for mapping in source if isinstance(source, list) else [source]:
                if isinstance(mapping, dict):
                    for key, value in mapping.items():
                        self.value.setdefault(key, value)
        return self.value


class _Builder:
    """Builds the value from the parser's events.

    PyYAML's own composer is recursive: a hundred thousand brackets end the process, and merged aliases fill the memory.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._open: list[_Open] = []
        #: Value, size and depth of what aliases may name.
        self._anchors: dict[str, tuple[Any, int, int]] = {}
        self._size = 0
        self._root: list[Any] = []

    def build(self) -> Any:
        while not isinstance(event := self._loader.get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event.anchor)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.DocumentStartEvent) and self._root:
                raise YamlRefused("several-documents")
        return self._root[0] if self._root else None

    def _begin(self, event: Any) -> None:
        self._check_depth(1)
        value: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        self._open.append(_Open(value, event.anchor, self._size))

    def _end(self) -> None:
        done = self._open.pop()
        self._count(1)
        value = done.close()
        if done.anchor:
            self._anchors[done.anchor] = (value, self._size - done.size_before, done.depth)
        self._put(value, done.depth)

    def _alias(self, anchor: str | None) -> None:
        if anchor is None or anchor not in self._anchors:  # unknown, or not closed yet: a value that would hold itself
            raise YamlRefused("alias", name=clean_text(anchor or "", 60))
        value, size, depth = self._anchors[anchor]
        self._count(size)
        self._check_depth(depth)
        self._put(value, depth)

    def _scalar(self, event: Any) -> None:
        self._count(1)
        value = _read_scalar(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1, 0)
        self._put(value, 0)

    def _count(self, values: int) -> None:
        self._size += values
        if self._size > MAX_YAML_VALUES:
            raise YamlRefused("too-many-values", limit=MAX_YAML_VALUES)

    def _check_depth(self, more: int) -> None:
        if len(self._open) + more > MAX_DEPTH:
            raise YamlRefused("too-deep", limit=MAX_DEPTH)

    def _put(self, value: Any, depth: int) -> None:
        if self._open:
            parent = self._open[-1]
            parent.depth = max(parent.depth, depth + 1)
            parent.add(value)
        else:
            self._root.append(value)


def _read_scalar(event: Any) -> Any:
    text: str = event.value
    if event.style or event.tag:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
