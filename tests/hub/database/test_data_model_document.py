"""The document of the data model names every table and column of the hub."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from hub.database.owners import hub_tables
from hub.extensions import Base

DOCUMENT = Path(__file__).parents[3] / "docs" / "data-model.md"


def test_every_table_is_named(app: Flask) -> None:
    text = DOCUMENT.read_text()
    assert [table for table in sorted(hub_tables()) if f"`{table}`" not in text] == []


def test_every_column_of_a_table_of_the_seed_is_named(app: Flask) -> None:
    lines = DOCUMENT.read_text().splitlines()
    sections = lines.index("## Tables that we added")
    seed = {line.split("`")[1] for line in lines[:sections] if line.startswith("| `")}
    missing = []
    for name in sorted(seed & hub_tables()):
        table, words, current = Base.metadata.tables[name], "", ""
        for line in lines[:sections]:
            current = line.split("`")[1] if line.startswith("| `") else current if line.startswith("| |") else ""
            words += line + "\n" if current == name else ""
        missing += [f"{name}.{column.name}" for column in table.columns if column.name not in words]
    assert missing == []
