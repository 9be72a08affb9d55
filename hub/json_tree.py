"""JSON as a foldable tree of ``<details>``: works without script, bounded however large or deep the value is."""

from __future__ import annotations

import json
from typing import Any

from flask_babel import ngettext
from markupsafe import Markup, escape

MAX_NODES = 1500
MAX_DEPTH = 24
MAX_TEXT = 4000


class _Tree:
    def __init__(self, open_depth: int, budget: int) -> None:
        self.open_depth = open_depth
        self.budget = budget
        self.parts: list[Markup] = []

    def write(self, key: str | None, value: Any, depth: int) -> None:
        self.budget -= 1
        label = Markup('<span class="json-key">{}</span>: ').format(key) if key is not None else Markup("")
        if isinstance(value, dict | list) and value and depth < MAX_DEPTH:
            self._write_branch(label, value, depth)
        else:
            self.parts.append(label + _leaf(value))

    def _write_branch(self, label: Markup, value: dict[str, Any] | list[Any], depth: int) -> None:
        opened = Markup(" open") if depth < self.open_depth else Markup("")
        brackets = "{}" if isinstance(value, dict) else "[]"
        count = ngettext("%(num)s entry", "%(num)s entries", len(value))
        self.parts.append(
            Markup('<details{}><summary>{}{} <bdi class="json-count">{}</bdi> {}</summary><ul class="json-branch">').format(
                opened, label, brackets[0], count, brackets[1]
            )
        )
        pairs = value.items() if isinstance(value, dict) else ((str(index), item) for index, item in enumerate(value))
        for shown, (key, item) in enumerate(pairs):
            if self.budget <= 0:
                self.parts.append(_rest(len(value) - shown))
                break
            self.parts.append(Markup("<li>"))
            self.write(key, item, depth + 1)
            self.parts.append(Markup("</li>"))
        self.parts.append(Markup("</ul></details>"))


def _rest(count: int) -> Markup:
    words = ngettext("%(num)s more entry is not shown", "%(num)s more entries are not shown", count)
    return Markup('<li class="json-count">… {}</li>').format(words)


def _leaf(value: Any) -> Markup:
    if isinstance(value, str):
        text = value if len(value) <= MAX_TEXT else value[:MAX_TEXT] + "…"
        return Markup('<span class="json-string">"{}"</span>').format(text)
    kind = "json-number" if isinstance(value, int | float) and not isinstance(value, bool) else "json-word"
    return Markup('<span class="{}">{}</span>').format(kind, escape(json.dumps(value, default=str)[:MAX_TEXT]))


def render_json(value: Any, *, open_depth: int = 2, max_nodes: int = MAX_NODES) -> Markup:
    """``value`` as nested lists, the first ``open_depth`` levels unfolded, at most ``max_nodes`` entries."""
    tree = _Tree(open_depth, max_nodes)
    tree.write(None, value, 0)
    return Markup("").join(tree.parts)
