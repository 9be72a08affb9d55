"""CUIDs, as the seed's ``cuid()`` makes them."""

from __future__ import annotations

import re
import subprocess
import sys

from hub.config import ROOT
from hub.identifiers import new_id


def test_the_form_is_a_cuid() -> None:
    assert re.fullmatch(r"c[0-9a-z]{24}", new_id())


def test_ids_are_unique() -> None:
    assert len({new_id() for _ in range(50_000)}) == 50_000


def test_ids_of_two_processes_differ() -> None:
    code = "from hub.identifiers import new_id; print(new_id())"
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    assert other[13:17] != new_id()[13:17]


def test_later_ids_sort_after_earlier_ones() -> None:
    stamps = [new_id()[1:9] for _ in range(1000)]
    assert stamps == sorted(stamps)
