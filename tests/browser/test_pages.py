"""Every page, in both languages: accessible, quiet in the console, and no wider than the window.

Each page is opened once per language and theme; the tests share what was seen there. Two pages of a kind are looked at in
English and light, else one; the dark themes differ in colours alone, so there only in the wide window.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.site import PUBLIC, Site, open_context, watch

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NARROW, WIDE = 360, 1280
DIRECTIONS = {"en": "ltr", "ar": "rtl"}

#: Routes that are no page: pieces of one, files, answers to programs, and what only leads on.
NO_PAGES = {
    "analyses.old_workflow",
    "audit.export",
    "instances.progress",
    "my_data.download",
    "oauth.callback",
    "runs.body",
    "runs.branch",
    "runs.image",
    "runs.node",
    "system.healthz",
    "system.security_txt",
}

FIND_WIDE = """() => [...document.querySelectorAll('body *')]
  .filter(e => { const r = e.getBoundingClientRect(); return r.right > innerWidth + 1 || r.left < -1; })
  .slice(0, 3).map(e => e.tagName.toLowerCase() + '.' + e.className).join(', ')"""
#: How text might become code in a page; a page of the hub refuses each.
WAYS_IN = {
    "innerHTML": "document.body.innerHTML = '<b>planted</b>'",
    "insertAdjacentHTML": "document.body.insertAdjacentHTML('beforeend', '<b>planted</b>')",
    "document.write": "document.write('<b>planted</b>')",
    "srcdoc": "document.createElement('iframe').srcdoc = '<b>planted</b>'",
    "script text": "document.createElement('script').text = 'planted()'",
    "script address": "document.createElement('script').src = '/static/js/hub.js'",
    "handler": "document.body.setAttribute('onclick', 'planted()')",
    "another policy": "trustedTypes.createPolicy('mine', {createHTML: text => text})",
    "a second default policy": "trustedTypes.createPolicy('default', {createHTML: text => text})",
}
PLANTED = '<div id="list">planted<script>window.planted = 1</script></div>'
FIND_ICONS = "[...document.querySelectorAll('use')].map(e => e.getAttribute('href').split('#')[1])"


@dataclass
class Seen:
    """What was seen on all pages in one language and theme; every list but `pages` should be empty."""

    pages: list[str] = field(default_factory=list)
    axe: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    too_wide: list[str] = field(default_factory=list)
    wrong_language: list[str] = field(default_factory=list)
    missing_icons: list[str] = field(default_factory=list)


@pytest.fixture(scope="module", params=["en-light", "en-dark", "ar-light", "ar-dark"])
def seen(request: pytest.FixtureRequest, site: Site, chromium: Browser) -> Seen:
    """All pages opened in one language and theme, wide and narrow."""
    language, theme = request.param.split("-")
    seen = Seen()
    for page in visit(site, chromium, language, theme, seen.console):
        seen.pages.append(page.url)
        root = page.locator("html")
        if (root.get_attribute("lang"), root.get_attribute("dir")) != (language, DIRECTIONS[language]):
            seen.wrong_language.append(page.url)
        seen.missing_icons += [f"{page.url}: {name}" for name in page.evaluate(FIND_ICONS) if name not in sprite()]
        for width in (WIDE, NARROW) if theme == "light" else (WIDE,):
            page.set_viewport_size({"width": width, "height": 900})
            seen.too_wide += [f"{page.url} at {width}: {what}" for what in find_too_wide(page)]
            seen.axe += [f"{page.url} at {width}: {violation}" for violation in find_violations(page)]
    return seen


def test_every_page_is_found_by_following_links(site: Site) -> None:
    """A page that no link leads to is lost for people and for the tests below."""
    assert [endpoint for endpoint in site.pages if endpoint.startswith("unknown address")] == [], "links lead to nowhere"
    pieces = {endpoint for endpoint in site.endpoints if endpoint.startswith(("api.", "openapi.")) or endpoint in NO_PAGES}
    public = {"accounts.login", "accounts.register", "registration.confirm", "passwords.forgot", "passwords.reset"}
    opened_elsewhere = {"second_factor.ask", "second_factor.new_passkey"}  # test_second_factor.py
    assert sorted(site.endpoints - pieces - public - opened_elsewhere - set(site.pages)) == []


def test_axe_finds_nothing(seen: Seen) -> None:
    assert seen.axe == []


def test_console_is_quiet(seen: Seen) -> None:
    """No violation of the Content Security Policy, no exception, no missing file."""
    assert [text for text in seen.console if PUBLIC[-1] not in text.split(": ")[0]] == []


def test_no_page_scrolls_sideways(seen: Seen) -> None:
    assert seen.too_wide == []


def test_pages_say_their_language(seen: Seen) -> None:
    assert seen.wrong_language == []


def test_every_icon_is_in_the_sprite(seen: Seen) -> None:
    """Names are chosen in tools/icons.txt; an unknown one leaves a hole without any error."""
    assert seen.missing_icons == []


def test_the_instruments_work(site: Site, chromium: Browser) -> None:
    """A planted fault of every kind is found; else the tests above would pass on anything."""
    with open_context(chromium, site, language="en") as context:
        page = context.new_page()
        complaints = watch(page)
        page.goto(site.hub.url + "/")
        assert find_violations(page) == []
        page.evaluate("document.body.append(Object.assign(document.createElement('img'), {src: '/no-such-picture'}))")
        page.evaluate("document.body.append(Object.assign(document.createElement('style'), {textContent: 'b {color: red}'}))")
        assert refused_ways(page) == list(WAYS_IN)
        page.evaluate(
            "document.querySelector('main').append(Object.assign(document.createElement('pre'), {textContent: 'x'.repeat(500)}))"
        )
        page.wait_for_load_state("networkidle")
        assert "image-alt" in " ".join(find_violations(page))
        assert "Content Security Policy" in " ".join(complaints)
        assert "TrustedHTML" in " ".join(complaints)
        assert "404" in " ".join(complaints)
        assert len(find_too_wide(page)) == 1


def test_htmx_brings_pieces_under_the_policy(site: Site, chromium: Browser) -> None:
    """Trusted Types let htmx read its answers; a script in one is dropped."""
    with open_context(chromium, site, language="en") as context:
        page = context.new_page()
        complaints = watch(page)
        page.route("**/executions?planted", lambda route: route.fulfill(body=PLANTED, content_type="text/html"))
        page.goto(site.hub.url + "/executions")
        for path in ("/executions?status=FAILED", "/executions?planted"):
            page.evaluate(
                "path => htmx.ajax('GET', path, {target: '#list', swap: 'outerHTML'})"
                ".then(() => document.body.dataset.swapped = path)",
                path,
            )
            page.wait_for_selector(f"body[data-swapped='{path}']")
        assert page.locator("#list").inner_text() == "planted"
        assert page.evaluate("[window.planted, document.querySelectorAll('#list script').length]") == [None, 0]
        assert complaints == []


def visit(site: Site, chromium: Browser, language: str, theme: str, complaints: list[str]) -> Iterator[Page]:
    """Open one page after the other, the public ones as a stranger, and collect what the console says."""
    for signed_in in (False, True):
        with open_context(chromium, site, language=language, theme=theme, width=WIDE, signed_in=signed_in) as context:
            page = context.new_page()
            heard = watch(page)
            for _name, path in site.paths(only_first=(language, theme) != ("en", "light")):
                if (path in PUBLIC) is not signed_in:
                    page.set_viewport_size({"width": WIDE, "height": 900})
                    page.goto(site.hub.url + path, wait_until="load")
                    yield page
            complaints += heard


def refused_ways(page: Page) -> list[str]:
    """The names of the ways in that raise."""
    attempt = "() => {{ try {{ {}; return false }} catch {{ return true }} }}"
    return [name for name, way in WAYS_IN.items() if page.evaluate(attempt.format(way))]


def find_too_wide(page: Page) -> list[str]:
    """How much wider than the window the page is and what sticks out; nothing where it fits."""
    extra = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{extra} px too wide: {page.evaluate(FIND_WIDE)}"] if extra > 0 else []


def find_violations(page: Page) -> list[str]:
    """What axe finds, one line a rule: how many elements, and the first one."""
    page.evaluate(AXE)
    result = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [describe(violation) for violation in result["violations"]]


def describe(violation: dict[str, Any]) -> str:
    nodes = violation["nodes"]
    return f"{violation['id']} ({len(nodes)}): {violation['help']}: {nodes[0]['html'][:160]} {nodes[0]['failureSummary'][:200]}"


def sprite() -> set[str]:
    """Names of the icons that are there."""
    return set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static" / "vendor" / "icons.svg").read_text()))
