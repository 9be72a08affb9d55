"""One hub and one Chromium for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.site import Site, build_site, open_chromium


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A hub with the sample instance, a person and an analysis."""
    site = build_site(tmp_path_factory.mktemp("hub"))
    yield site
    site.hub.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium; `.ci/run` installs it."""
    with open_chromium() as browser:
        yield browser
