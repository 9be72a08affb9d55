"""Writes what a run of the whole bench measured into docs/repair-accuracy.md, between two marks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from hub.demo.n8n_server import VERSION
from tests.benchmarks.repair.judge import Outcome, Row, score

PAGE = Path(__file__).resolve().parents[3] / "docs" / "repair-accuracy.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def write_report(rows: Sequence[Row], not_reproduced: int) -> None:
    """Replace the measured part of the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{_measured(rows, not_reproduced)}{END}{after}")


def _measured(rows: Sequence[Row], not_reproduced: int) -> str:
    day = dt.datetime.now(dt.UTC).date().isoformat()
    lines = [f"Measured on {day} with n8n {VERSION}, {len(rows)} cases:", "", "```", score(rows, not_reproduced), "```", ""]
    open_rows = [row for row in rows if not row.solved]
    if open_rows:
        lines += ["Not solved:", "", "| case | what fails | said | expected | node | outcome |", "|---|---|---|---|---|---|"]
        lines += [_table_line(row) for row in open_rows]
    else:
        lines.append("Every case is solved.")
    return "\n".join(lines) + "\n"


def _table_line(row: Row) -> str:
    expected = ", ".join(row.case.expect["causes"])
    outcome = row.outcome if row.patchable or row.outcome is not Outcome.NO_PATCH else "no patch, as it should be"
    node = "right" if row.node_right else f"{row.answer.node or 'none'} instead of {row.case.expect['node']}"
    return f"| {row.case.id} | {row.case.title} | {row.answer.cause} | {expected} | {node} | {outcome} |"
