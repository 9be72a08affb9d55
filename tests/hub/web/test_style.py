"""Rules of the style sheets and templates that no page may break."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHEETS = sorted((ROOT / "static" / "css").glob("*.css"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
#: Properties and values that name a side of the screen; the logical ones follow the direction of the language.
PHYSICAL = re.compile(
    r"(?:^|[\s;{])(?:(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right|top|bottom)[\w-]*"
    r"|border-(?:top|bottom)-(?:left|right)-radius|left|right|top|bottom|width|height|(?:min|max)-(?:width|height))\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)"
    r"|(?:^|[\s;{])(?:padding|margin|inset)\s*:(?:\s+(?:[^\s;(]+|\S+\([^)]*\))){4}\s*;",
    re.MULTILINE,
)
COLOR = re.compile(r"#[0-9a-fA-F]{3,8}\b")


def without_comments(sheet: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)


def test_there_is_something_to_check() -> None:
    assert len(SHEETS) >= 5
    assert len(TEMPLATES) >= 20
    assert PHYSICAL.search(".a { margin-left: 1px }")
    assert PHYSICAL.search(".a { padding: 1px var(--b) 1px 0; }")
    assert not PHYSICAL.search(".a { margin-inline-start: 1px; border-start-start-radius: 2px; line-height: 1; stroke-width: 2 }")


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_style_sheets_name_no_side_of_the_screen(sheet: Path) -> None:
    assert PHYSICAL.findall(without_comments(sheet)) == []


@pytest.mark.parametrize("sheet", [sheet for sheet in SHEETS if sheet.name != "tokens.css"], ids=lambda path: path.name)
def test_colours_stand_in_the_tokens_only(sheet: Path) -> None:
    assert COLOR.findall(without_comments(sheet)) == []


def test_both_dark_themes_have_the_same_values() -> None:
    """They are written twice because CSS cannot share them between a selector and a media query."""
    blocks = re.findall(r'data-theme="(?:dark|system)"\] \{(.*?)\n\s*\}', (ROOT / "static/css/tokens.css").read_text(), re.DOTALL)
    chosen, preferred = (re.sub(r"\s+", " ", block).strip() for block in blocks)
    assert chosen == preferred


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_have_no_inline_style_or_script(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|hx-on", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_form_that_changes_something_carries_the_token(template: Path) -> None:
    for form in re.findall(r"<form\b.*?</form>", template.read_text(), re.DOTALL):
        if re.search(r'method="post"', form):
            assert "csrf" in form


def test_the_own_script_stays_small() -> None:
    assert (ROOT / "static/js/hub.js").stat().st_size <= 5000
