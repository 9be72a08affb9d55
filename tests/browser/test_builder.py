"""The request builder in Chromium: a pasted command, rows and URL in step, the editor, keys, a conflict that loses nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.site import Site, open_context, watch
from tests.browser.test_pages import find_violations

pytestmark = pytest.mark.browser

KEY = "sk_live_abcdef123456"
COMMAND = f"curl 'https://api.example.com/v1/orders?status=open' \\\n -H 'Authorization: Bearer {KEY}' --json '{{}}'"
SAVED = re.compile(r"/requests/c[a-z0-9]{20,}")


@pytest.fixture
def page(site: Site, chromium: Browser) -> Iterator[Page]:
    with open_context(chromium, site, language="en") as context:
        context.grant_permissions(["clipboard-write"])
        page = context.new_page()
        complaints = watch(page)
        yield page
        assert [text for text in complaints if "status of 4" not in text] == []


def open_builder(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("#builder[data-started]")


def save(page: Page) -> None:
    page.keyboard.press("Control+s")
    page.wait_for_url(SAVED)
    page.wait_for_selector("#builder[data-started]")


def test_a_pasted_command_becomes_a_request_whose_secret_nobody_sees(site: Site, page: Page) -> None:
    open_builder(page, f"{site.hub.url}/requests/new")
    page.evaluate("text => navigator.clipboard.writeText(text)", COMMAND)
    page.focus("[data-url]")
    page.keyboard.press("Control+v")
    expect(page.get_by_text("The cURL command was recognised")).to_be_visible()
    expect(page.locator("[data-url]")).to_have_value("https://api.example.com/v1/orders?status=open")
    page.fill("[name=name]", "From the docs")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview-text")).to_contain_text("Authorization: Bearer {{TOKEN}}")
    save(page)
    assert KEY not in page.content()
    page.click("[data-tab=auth]")
    expect(page.locator('[name="auth.bearer.token"]')).to_have_attribute("placeholder", "Set. Type to replace")


def test_the_url_and_its_parameters_stay_in_step(site: Site, page: Page) -> None:
    open_builder(page, f"{site.hub.url}/requests/new")
    page.fill("[data-url]", "https://a.example/?a=1&b={{SHOP}}")
    page.click("[data-tab=params]")
    names = page.locator("[data-rows=params] input.cell-name")
    expect(names.nth(1)).to_have_value("b")
    names.nth(1).fill("shop id")
    expect(page.locator("[data-url]")).to_have_value("https://a.example/?a=1&shop%20id={{SHOP}}")
    page.locator("[data-rows=params] [data-drop-row]").first.click()
    expect(page.locator("[data-url]")).to_have_value("https://a.example/?shop%20id={{SHOP}}")
    expect(page.locator("[data-used] .name-missing")).to_contain_text("{{SHOP}}")


def test_json_is_written_checked_and_formatted_in_the_editor(site: Site, page: Page) -> None:
    open_builder(page, f"{site.hub.url}/requests/new")
    page.fill("[name=name]", "Body")
    page.fill("[data-url]", "https://a.example/")
    page.click("[data-tab=body]")
    page.locator(".segment", has_text="JSON").click()
    page.locator(".cm-content").click()
    page.keyboard.insert_text('{"a": {{A}}, oops}')
    expect(page.locator("[data-problem]").first).to_contain_text("Line 1, column 14")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text('{"a": {{A}}}')
    page.get_by_role("button", name="Format").first.click()
    expect(page.locator('[name="body.json"]')).to_have_value('{\n  "a": {{A}}\n}')
    save(page)
    expect(page.locator(".cm-content")).to_contain_text('"a": {{A}}')


def test_unsaved_changes_are_marked_until_they_are_saved(site: Site, page: Page) -> None:
    open_builder(page, f"{site.hub.url}/requests/new?url=https://a.example/")
    page.fill("[name=name]", "Marked")
    expect(page.locator("[data-dirty]")).to_be_visible()
    save(page)
    expect(page.locator("[data-dirty]")).to_be_hidden()
    page.keyboard.press("Alt+p")
    expect(page.locator("[data-method]")).to_have_value("POST")
    expect(page.locator("[data-dirty]")).to_be_visible()
    page.keyboard.press("Control+s")
    expect(page.locator("[data-saved]")).to_be_visible()
    expect(page.locator("[data-dirty]")).to_be_hidden()


def test_two_people_saving_lose_nothing(site: Site, page: Page) -> None:
    open_builder(page, f"{site.hub.url}/requests/new?url=https://a.example/")
    page.fill("[name=name]", "First")
    save(page)
    other = page.context.new_page()
    open_builder(other, page.url)
    other.fill("[name=name]", "Theirs")
    other.keyboard.press("Control+s")
    expect(other.locator("[data-saved]")).to_be_visible()
    page.fill("[name=name]", "Mine")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Somebody saved this request")).to_be_visible()
    expect(page.locator(".conflict")).to_contain_text("Theirs")
    expect(page.locator("[name=name]")).to_have_value("Mine")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-saved]")).to_be_visible()


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("ar", "dark")])
def test_every_tab_is_accessible(site: Site, chromium: Browser, language: str, theme: str) -> None:
    with open_context(chromium, site, language=language, theme=theme) as context:
        page = context.new_page()
        open_builder(page, f"{site.hub.url}/requests/new?url=https://a.example/{{{{A}}}}")
        found = []
        for tab in ("params", "headers", "body", "auth", "tests", "variables", "settings", "notes"):
            page.click(f"[data-tab={tab}]")
            for kind in ("json", "multipart", "graphql", "binary") if tab == "body" else (None,):
                if kind:
                    page.locator(f'.segment:has([value="{kind}"])').click()
                found += [f"{tab} {kind}: {violation}" for violation in find_violations(page)]
        assert found == []


def test_the_list_is_worked_by_keys_and_a_delete_is_undone(site: Site, page: Page) -> None:
    open_builder(page, f"{site.hub.url}/requests/new?url=https://a.example/keys")
    page.fill("[name=name]", "Only one")
    save(page)
    page.goto(f"{site.hub.url}/requests?search=Only+one")
    page.keyboard.press("j")
    expect(page.locator("[data-open]:focus")).to_contain_text("Only one")
    page.keyboard.press("f")
    expect(page.locator(".favorite-on")).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("d")
    expect(page.locator("[data-item]")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-item]")).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(SAVED)
    page.goto(f"{site.hub.url}/requests")
    page.keyboard.press("n")
    page.wait_for_url(re.compile("/requests/new"))


def test_every_key_of_the_builder_does_what_the_sheet_says(site: Site, page: Page) -> None:
    open_builder(page, f"{site.hub.url}/requests/new?url=https://127.0.0.1/keys")
    page.fill("[name=name]", "Builder keys")
    for key, method in (("p", "POST"), ("u", "PUT"), ("x", "DELETE"), ("g", "GET")):
        page.keyboard.press(f"Alt+{key}")
        expect(page.locator("[data-method]")).to_have_value(method)
    save(page)
    page.focus("[data-tab=params]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-tab=headers]")).to_be_focused()
    expect(page.locator("#tab-headers")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tab-params")).to_be_visible()
    for send in ("Control+Enter", "Enter"):
        page.focus("[data-url]")
        with page.expect_response(re.compile(r"/requests/[^/]+/runs$")):
            page.keyboard.press(send)
    expect(page.locator("#answer .response")).to_be_visible()
    page.focus("[data-tab=params]")
    page.keyboard.press("?")
    sheet = page.locator("#shortcuts")
    for words in ("Send", "Save", "Search requests", "DELETE", "Next and previous tab"):
        expect(sheet.get_by_text(words, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#answer .response")).to_be_visible()


def test_control_k_searches_wherever_requests_are(site: Site, page: Page) -> None:
    page.goto(f"{site.hub.url}/requests")
    page.keyboard.press("Control+k")
    expect(page.locator("#field-search")).to_be_focused()
    open_builder(page, f"{site.hub.url}/requests/new")
    page.keyboard.press("Control+k")
    page.keyboard.type("Orders")
    found = page.locator("#find-results .request-link", has_text="Orders").first
    expect(found).to_be_visible()
    found.click()
    page.wait_for_url(SAVED)
    page.goto(f"{site.hub.url}/environments")
    page.keyboard.press("Control+k")
    expect(page.locator("#field-search")).to_be_focused()


def test_a_name_without_a_value_is_marked_while_it_is_typed_and_leads_to_its_form(site: Site, page: Page) -> None:
    open_builder(page, f"{site.hub.url}/requests/new?url=https://a.example/")
    page.click("[data-tab=headers]")
    row = page.locator("[data-rows=headers] [data-row]").first
    row.locator(".cell-name").fill("X-Shop")
    row.locator(".cell-value").fill("{{SHOP_ID}}")
    mark = row.locator("[data-unset] a")
    expect(mark).to_have_text("{{SHOP_ID}}")
    with page.context.expect_page() as opened:
        mark.click()
    expect(opened.value.locator("#field-name")).to_have_value("SHOP_ID")
    opened.value.close()
    row.locator(".cell-on").uncheck()
    expect(mark).to_have_count(0)


def test_a_request_is_exported_from_its_menu_and_with_others_from_the_list(site: Site, page: Page) -> None:
    open_builder(page, f"{site.hub.url}/requests/new?url=https://a.example/export")
    page.fill("[name=name]", "Export me")
    save(page)
    page.locator(".builder-head .menu summary").click()
    page.get_by_role("link", name="Export as…").click()
    page.get_by_role("link", name="HTTPie").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#toasts")).to_contain_text("Copied")
    page.goto(f"{site.hub.url}/requests")
    page.focus("[name=search]")
    page.keyboard.press("Control+V")  # pages of the hub may not read the clipboard themselves
    expect(page.locator("[name=search]")).to_have_value(re.compile("^http "))
    page.goto(f"{site.hub.url}/requests?search=Export")
    page.get_by_role("checkbox", name="Choose Export me").check()
    page.get_by_role("button", name="OpenAPI").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".openapi.json")


def test_everything_works_without_javascript(site: Site, chromium: Browser) -> None:
    with open_context(chromium, site, language="en", scripts=False) as context:
        page = context.new_page()
        page.goto(f"{site.hub.url}/requests/new")
        page.fill("[name=name]", "Plain")
        page.fill("[name=url]", "https://127.0.0.1/plain")
        for number in range(2):
            row = page.locator("[data-rows=headers] .cells-new")
            row.locator(".cell-name").fill(f"X-Row-{number}")
            row.locator(".cell-value").fill("{{PLAIN}}")
            page.get_by_role("button", name="Add a header").click()
        expect(page.locator("[data-rows=headers] [data-row] .cell-name >> nth=1")).to_have_value("X-Row-1")
        page.get_by_role("button", name="Save").click()
        page.wait_for_url(SAVED)
        expect(page.locator("[data-rows=headers] [data-unset] a")).to_have_count(2)
        page.get_by_role("link", name="Search requests").click()
        page.wait_for_url(re.compile("/requests#"))
        page.get_by_role("link", name="Plain").first.click()
        for _row in range(2):
            page.locator("[data-rows=headers]").get_by_role("button", name="Remove row").first.click()
        page.get_by_role("button", name="Send").click()
        page.wait_for_url(re.compile("/runs/"))
        expect(page.get_by_text("No answer").first).to_be_visible(timeout=20_000)
