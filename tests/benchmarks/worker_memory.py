"""What a web worker weighs after it served every page some times, and what one page costs of its processor time.

Proportional set size: memory that workers share is counted once, split between them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import psutil

from tests.browser.site import build_site
from tests.plain_browser import PlainBrowser

LIMIT_MB = 130
ROUNDS = 5


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        site = build_site(Path(folder))
        try:
            browser = PlainBrowser(site.hub.url)
            browser.set_cookies(site.cookies)
            workers = [each for each in site.hub.processes() if is_web_worker(each)]
            before = sum(each.cpu_times().user + each.cpu_times().system for each in workers)
            paths = [path for _name, path in site.paths()] * ROUNDS
            for path in paths:
                browser.get(path)
            spent = sum(each.cpu_times().user + each.cpu_times().system for each in workers) - before
            sizes = [(each.memory_full_info().pss / 1e6, each.memory_info().rss / 1e6) for each in workers]
        finally:
            site.hub.stop()
    for pss, rss in sizes:
        print(f"web worker: {pss:.0f} MB of its own ({rss:.0f} MB with what it shares), limit {LIMIT_MB} MB")
    print(f"page: {spent / len(paths) * 1000:.1f} ms of processor time on average over {len(paths)} pages")
    return 0 if sizes and max(rss for _, rss in sizes) < LIMIT_MB else 1


def is_web_worker(process: psutil.Process) -> bool:
    """Whether a process is a gunicorn worker, not gunicorn's master."""
    parent = process.parent()
    return "gunicorn" in " ".join(process.cmdline()) and parent is not None and "gunicorn" in " ".join(parent.cmdline())


if __name__ == "__main__":
    sys.exit(main())
