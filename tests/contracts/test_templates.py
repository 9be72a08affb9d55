"""Every template compiles, and holds nothing that the content security policy would refuse."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from hub.config import ROOT

TEMPLATES = sorted(file.relative_to(ROOT / "templates").as_posix() for file in (ROOT / "templates").rglob("*.html"))
REFUSED = {
    "a style attribute": r"<[^>]*\sstyle\s*=",
    "a style element": r"<style\b",
    "a script in the page": r"<script\b(?![^>]*\bsrc=)",
    "a script without the answer's nonce": r"<script\b(?![^>]*\bnonce=)",
    "an event attribute": r"<[a-zA-Z][^>]*\son[a-z]+\s*=",
    "script for htmx": r"\bhx-on\b|\bjs:",
    "a javascript address": r"javascript:",
    "another host's file": r"""<(?:script|link|img)\b[^>]*(?:src|href)=["'](?:https?:)?//""",
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_compiles(app: Flask, name: str) -> None:
    app.jinja_env.get_template(name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_holds_nothing_that_the_policy_refuses(name: str) -> None:
    text = re.sub(r"{#.*?#}", "", (ROOT / "templates" / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert [what for what, pattern in REFUSED.items() if re.search(pattern, text)] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_form_that_posts_carries_its_token(name: str) -> None:
    text = (ROOT / "templates" / name).read_text(encoding="utf-8")
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, flags=re.DOTALL):
        assert "csrf" in form
