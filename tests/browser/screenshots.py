"""Pictures of every page, in both languages and themes, wide and narrow.

Usage: python -m tests.browser.screenshots FOLDER [PART_OF_A_NAME ...]
"""

from __future__ import annotations

import sys
import tempfile
from itertools import product
from pathlib import Path

from tests.browser.site import PUBLIC, build_site, open_chromium, open_context

WIDTHS = {"wide": 1280, "narrow": 390}


def main() -> None:
    target, *wanted = sys.argv[1:]
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        site = build_site(Path(data))
        try:
            with open_chromium() as chromium:
                for language, theme, (width_name, width) in product(("en", "ar"), ("light", "dark"), WIDTHS.items()):
                    for name, path in site.paths():
                        if wanted and not any(part in name for part in wanted):
                            continue
                        options = {"language": language, "theme": theme, "width": width, "signed_in": path not in PUBLIC}
                        with open_context(chromium, site, **options) as context:
                            page = context.new_page()
                            page.goto(site.hub.url + path, wait_until="load")
                            page.screenshot(path=folder / f"{name}-{language}-{theme}-{width_name}.png", full_page=True)
        finally:
            site.hub.stop()
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    main()
