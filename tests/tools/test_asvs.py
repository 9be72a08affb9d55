"""The table of ASVS 5.0: complete, and every test and rule that it names is there."""

from __future__ import annotations

from collections import Counter

from tools import asvs


def test_the_table_holds() -> None:
    rows = asvs.read_table()
    assert asvs.find_problems(rows) == []
    assert asvs.DOCUMENT.read_text(encoding="utf-8") == asvs.write_document(rows)


def test_it_is_complete() -> None:
    """Version 5.0.0 has 70 requirements of level 1 and 183 of level 2."""
    rows = asvs.read_table()
    assert Counter(row["level"] for row in rows) == {"1": 70, "2": 183}
    assert len({row["id"] for row in rows}) == 253


def test_enough_is_met() -> None:
    assert sum(row["state"] == "met" for row in asvs.read_table()) >= 165


def test_a_wrong_row_is_found() -> None:
    row = {"id": "1.1.1", "level": "2", "requirement": "", "reason": ""}
    assert asvs.find_problems([{**row, "state": "met", "tests": "tests/none.py::test_a"}])
    assert asvs.find_problems([{**row, "state": "met", "tests": "rule:none"}])
    assert asvs.find_problems([{**row, "state": "met", "tests": ""}])
    assert asvs.find_problems([{**row, "state": "not met", "tests": ""}])
