"""An answer in Chromium: nodes that tell their names, branches that come as they are opened, a search that leads there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.site import Site, open_context, watch
from tests.browser.test_pages import find_violations

pytestmark = pytest.mark.browser


@pytest.fixture
def page(site: Site, chromium: Browser) -> Iterator[Page]:
    """The good answer of the site."""
    with open_context(chromium, site, language="en") as context:
        page = context.new_page()
        complaints = watch(page)
        page.goto(f"{site.hub.url}/runs?status=2xx")
        page.click("#list tbody th a")
        page.wait_for_selector(".json-tree")
        yield page
        assert complaints == []


def test_a_node_is_opened_found_and_named(page: Page) -> None:
    address = page.url
    page.get_by_text("30 more entries").click()
    last = page.locator('.json-tree a.json-node[href$="node=0.129"]')
    expect(last).to_be_visible()
    lazy = page.locator(".json-tree details[hx-get]").last
    lazy.locator("xpath=ancestor::details").last.evaluate("parent => parent.open = true")
    lazy.locator("summary").first.click()
    expect(lazy.locator("li.tree-more")).to_have_count(0)
    last.click()
    expect(page.locator(".node-card")).to_contain_text("{{ $json.data[129] }}")
    page.fill("input[name=find]", "$.data[2].id")
    page.keyboard.press("Enter")
    page.locator(".matches li a").click()
    expect(page.locator(".node-card")).to_contain_text("{{ $json.data[2].id }}")
    assert page.url == address
    assert list(find_violations(page)) == []


@pytest.mark.parametrize("part", ["Headers", "Tests", "Connection", "Sent"])
def test_every_part_of_an_answer_is_accessible(page: Page, part: str) -> None:
    page.locator(".response-tabs a", has_text=re.compile(rf"^\s*{part}")).click()
    expect(page.locator(".response-tabs a[aria-current]")).to_contain_text(part)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert list(find_violations(page)) == []


def test_in_the_builder_a_test_from_a_node_keeps_what_is_not_saved(site: Site, page: Page) -> None:
    page.goto(f"{site.hub.url}/requests?search=مخزون")
    page.click("#list tbody th a")
    page.wait_for_selector("#builder[data-started]")
    page.fill("[name=name]", "Not saved")
    page.locator(".json-tree a:visible").first.click()
    page.get_by_role("button", name="Test ").first.click()
    expect(page.get_by_text("Save the request to keep it.")).to_be_visible()
    expect(page.locator("[name=name]")).to_have_value("Not saved")
    expect(page.locator("[data-dirty]")).to_be_visible()
    expect(page.locator('[name="assertions.r1.path"]')).to_be_visible()
    assert list(find_violations(page)) == []


def test_a_test_is_made_from_a_node(page: Page) -> None:
    page.locator('.json-tree a.json-key[href$="node=1"]').click()
    page.get_by_role("button", name="Test for this value").click()
    expect(page.get_by_text("The test was added to the request.")).to_be_visible()
    expect(page.locator("#tab-tests")).to_be_visible()
