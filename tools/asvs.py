"""docs/security/asvs.md from asvs.csv: ``write`` makes it, ``check`` fails where it is not what the table says."""

from __future__ import annotations

import ast
import csv
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "security" / "asvs.csv"
DOCUMENT = ROOT / "docs" / "security" / "asvs.md"
RULES = ROOT / "tools" / "scanners" / "semgrep"
STATES = ("met", "not met", "does not apply")
CHAPTERS = (
    *("Encoding and sanitisation", "Validation and business logic", "The browser", "API and web service", "Files"),
    *("Signing in", "Sessions", "Authorisation", "Self-contained tokens", "OAuth and OIDC", "Cryptography"),
    *("Secure communication", "Configuration", "Data protection", "Code and architecture", "Logs and errors", "WebRTC"),
)
HEAD = """# ASVS 5.0

Every requirement of levels 1 and 2 of OWASP's Application Security Verification Standard, version 5.0.0, in words of our own,
and how the hub stands to it. What is met names the tests that show it, or rules of `tools/scanners/semgrep` (`rule:`), which
`make check` runs.

This file is made: edit `asvs.csv`, then `python tools/asvs.py write`.
"""


def read_table() -> list[dict[str, str]]:
    """The rows, in order."""
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_document(rows: list[dict[str, str]]) -> str:
    """The page."""
    counts = Counter((row["state"], row["level"]) for row in rows)
    lines = [HEAD, "| | level 1 | level 2 | together |", "|---|---|---|---|"]
    for state in STATES:
        one, two = counts[state, "1"], counts[state, "2"]
        lines.append(f"| {state} | {one} | {two} | {one + two} |")
    for number, title in enumerate(CHAPTERS, 1):
        lines += [
            "",
            f"## {number} {title}",
            "",
            "| id | level | requirement | state | shown by, or why not |",
            "|---|---|---|---|---|",
        ]
        for row in rows:
            if row["id"].startswith(f"{number}."):
                shown = "<br>".join(f"`{word}`" for word in row["tests"].split())
                why = "<br>".join(part for part in (shown, row["reason"]) if part)
                lines.append(f"| {row['id']} | {row['level']} | {row['requirement']} | {row['state']} | {why} |")
    return "\n".join(lines) + "\n"


def find_problems(rows: list[dict[str, str]]) -> list[str]:
    """What is wrong with the table: a state without its ground, a test or rule that is not there."""
    rules = {rule for file in RULES.glob("*.yml") for rule in re.findall(r"- id: (\S+)", file.read_text(encoding="utf-8"))}
    problems = []
    for row in rows:
        if row["state"] not in STATES or (row["state"] != "met" and not row["reason"]):
            problems.append(f"{row['id']}: {row['state']} without a reason")
        if row["state"] == "met" and not row["tests"]:
            problems.append(f"{row['id']}: met, but no test shows it")
        for word in row["tests"].split():
            found = word[5:] in rules if word.startswith("rule:") else _is_test(word)
            if not found:
                problems.append(f"{row['id']}: there is no {word}")
    return problems


def _is_test(word: str) -> bool:
    path, _colons, name = word.partition("::")
    file = ROOT / path
    if not file.is_file():
        return False
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in ast.walk(tree))


def main() -> int:
    rows = read_table()
    problems = find_problems(rows)
    document = write_document(rows)
    if sys.argv[1:] == ["write"]:
        DOCUMENT.write_text(document, encoding="utf-8")
    elif DOCUMENT.read_text(encoding="utf-8") != document:
        problems.append("docs/security/asvs.md is not what asvs.csv says: python tools/asvs.py write")
    counts = Counter(row["state"] for row in rows)
    print("\n".join(problems) or "asvs: " + ", ".join(f"{counts[state]} {state}" for state in STATES))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
