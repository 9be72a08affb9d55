"""Every page, in both languages: accessible, quiet in the console, and no wider than the window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.site import PUBLIC, Site, open_context, watch

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NARROW, WIDE = 360, 1280

#: Routes that are no page: pieces of one, files, and answers to programs.
NO_PAGES = {"system.healthz"}


def test_every_page_is_found_by_following_links(site: Site) -> None:
    """A page that no link leads to is lost for people and for the tests below."""
    unknown = [endpoint for endpoint in site.pages if endpoint.startswith("unknown address")]
    assert not unknown, "links lead to nowhere"
    pieces = {endpoint for endpoint in site.endpoints if endpoint.startswith(("api.", "static")) or endpoint in NO_PAGES}
    missed = site.endpoints - pieces - set(site.pages)
    assert not missed


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing(site: Site, chromium: Browser, language: str, theme: str) -> None:
    axe = AXE.read_text()
    findings = []
    for page in visit(site, chromium, language, theme, WIDE):
        page.evaluate(axe)
        result = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
        findings += [f"{page.url}: {describe(violation)}" for violation in result["violations"]]
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_page_scrolls_sideways(site: Site, chromium: Browser, language: str, width: int) -> None:
    wide = []
    for page in visit(site, chromium, language, "light", width):
        extra = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if extra > 0:
            wide.append(f"{page.url} is {extra} px wider than {width}: {page.evaluate(WIDEST)}")
    assert not wide, "\n".join(wide)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_console_is_quiet(site: Site, chromium: Browser, language: str) -> None:
    """No violation of the Content Security Policy, no exception, no missing file."""
    complaints: list[str] = []
    for _page in visit(site, chromium, language, "light", WIDE, complaints):
        pass
    missing_page = f"{site.hub.url}{PUBLIC[-1]}"
    assert [text for text in complaints if not text.startswith(missing_page)] == []


def test_every_icon_is_in_the_sprite(site: Site, chromium: Browser) -> None:
    """Names are chosen in tools/icons.txt; an unknown one leaves a hole without any error."""
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static" / "vendor" / "icons.svg").read_text()))
    used = {}
    for page in visit(site, chromium, "en", "light", WIDE):
        for name in page.evaluate("[...document.querySelectorAll('use')].map(e => e.getAttribute('href').split('#')[1])"):
            used.setdefault(name, page.url)
    assert {name: url for name, url in used.items() if name not in sprite} == {}


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl")])
def test_pages_say_their_language(site: Site, chromium: Browser, language: str, direction: str) -> None:
    for page in visit(site, chromium, language, "light", WIDE):
        root = page.locator("html")
        assert (root.get_attribute("lang"), root.get_attribute("dir")) == (language, direction), page.url


WIDEST = """() => [...document.querySelectorAll('body *')]
  .filter(e => { const r = e.getBoundingClientRect(); return r.right > innerWidth + 1 || r.left < -1; })
  .slice(0, 3).map(e => e.tagName.toLowerCase() + '.' + e.className).join(', ')"""


def visit(
    site: Site, chromium: Browser, language: str, theme: str, width: int, complaints: list[str] | None = None
) -> Iterator[Page]:
    """Open one page after the other; the public ones as a stranger."""
    for signed_in in (False, True):
        with open_context(chromium, site, language=language, theme=theme, width=width, signed_in=signed_in) as context:
            page = context.new_page()
            heard = watch(page)
            for _name, path in site.paths():
                if (path in PUBLIC) is not signed_in:
                    page.goto(site.hub.url + path, wait_until="load")
                    yield page
            if complaints is not None:
                complaints += heard


def describe(violation: dict[str, Any]) -> str:
    """One line of an axe finding: rule, how many elements, and the first one."""
    nodes = violation["nodes"]
    return f"{violation['id']} ({len(nodes)}): {violation['help']}: {nodes[0]['html'][:160]} {nodes[0]['failureSummary'][:200]}"
