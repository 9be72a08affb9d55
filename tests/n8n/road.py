"""The main road as a person walks it, page by page and without JavaScript."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

from tests.plain_browser import Page, PlainBrowser

#: Seconds that a job (a sync, a repair with its retry) may take.
PATIENCE = 180
OPEN_REPAIR = re.compile(r'id="repair"[^>]*aria-busy="true"')
EXECUTION = re.compile(r"/executions/[^/?#]+$")


class Person:
    """Somebody at a plain browser."""

    def __init__(self, site: str) -> None:
        self.browser = PlainBrowser(site)

    def register(self) -> Page:
        page = self.browser.get("/register")
        return self.browser.submit(
            page.form("/register"), email="rana@example.com", password="a long enough password", name="Rana"
        )

    def connect(self, name: str, url: str, api_key: str) -> Page:
        """Add an instance; the page that it ends on."""
        instances = self.browser.get("/instances")
        page = self.browser.get(instances.link("/instances/new"))
        form = next(form for form in page.forms if "api_key" in form.fields)
        return self.browser.submit(form, name=name, url=url, api_key=api_key)

    def press(self, page: Page, action: str) -> Page:
        """Press the button of the form whose address ends with `action`."""
        return self.browser.submit(page.form(action))

    def sync(self, instance: Page) -> Page:
        """Press Sync on an instance's page once it is not syncing by itself, and wait for the end."""
        page = self.wait_for_sync(self.browser.get(instance.url))
        return self.wait_for_sync(self.press(page, "/sync"))

    def wait_for_sync(self, page: Page) -> Page:
        """Look again until the button is back, as the page does by itself where there is JavaScript."""
        return self._reload(page, lambda seen: not any(form.action.endswith("/sync") for form in seen.forms))

    def failed_executions(self) -> list[str]:
        """Addresses of all failed executions, over all pages of the list."""
        found: list[str] = []
        for page in self.pages("/executions?status=FAILED"):
            found += [link for link, _ in page.links if EXECUTION.search(link) and link not in found]
        return found

    def pages(self, address: str) -> Iterator[Page]:
        """A list's pages, to its end."""
        while address:
            page = self.browser.get(address)
            yield page
            address = next((link for link, text in page.links if "cursor=" in link and "Next" in text), "")

    def analyse(self, execution: Page) -> Page:
        return self.press(execution, "/analyses")

    def apply(self, analysis: Page) -> Page:
        """Apply the change that the analysis shows and wait for its verdict."""
        page = self.press(analysis, "/repairs")
        return self._reload(page, lambda seen: bool(OPEN_REPAIR.search(seen.html)))

    def _reload(self, page: Page, is_busy: Callable[[Page], bool]) -> Page:
        deadline = time.monotonic() + PATIENCE
        while is_busy(page) and time.monotonic() < deadline:
            time.sleep(0.3)
            page = self.browser.get(page.url)
        assert not is_busy(page), f"still busy after {PATIENCE} s: {page.text[-1500:]}"
        return page


def offers_change(analysis: Page) -> bool:
    """Whether the analysis has a button that applies a change."""
    return any(form.action.endswith("/repairs") for form in analysis.forms)
