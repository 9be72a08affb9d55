"""Scanners against a running hub: ``python -m tests.security.attacks sqlmap|wapiti --scanners FOLDER``.

The hub is gunicorn with production's settings on loopback, on an empty SQLite or PostgreSQL of its own. The answers are counted
from the server's log. See ``docs/security/attacks.md``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.live_hub import LiveHub
from tests.production_hub import DATABASES, production_hub
from tests.security.attacks import sqlmap, wapiti
from tests.security.attacks.victims import Victims

#: Nothing of a request but its first line and status: addresses and cookies of scanners are long.
LOG_FORMAT = "%(s)s %(m)s %(U)s"


def count_answers(log: Path) -> Counter[str]:
    """How often each status was answered."""
    return Counter(line.split(" ", 1)[0] for line in log.read_text(errors="replace").splitlines())


def report(hub: LiveHub, log: Path, findings: list[str]) -> int:
    """Print what was found; the number of it."""
    answers = count_answers(log)
    breaks = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("500 ")]
    print(f"{answers.total()} requests were answered: {dict(sorted(answers.items()))}")
    if breaks:
        print(hub.log()[-20_000:])
    for line in [*findings, *sorted(set(breaks))]:
        print(f"finding: {line}")
    print(f"{len(findings)} findings, {len(breaks)} answers of 500")
    return len(findings) + len(breaks)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scanner", choices=("sqlmap", "wapiti"))
    parser.add_argument("--scanners", type=Path, required=True, help="the folder of their programs: VENV/bin")
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--routes", default="", help="only routes that this pattern finds, e.g. '^GET /api'")
    parser.add_argument("--minutes", type=float, default=120, help="begin nothing new after so long")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-attack-") as name, production_hub(wanted.database) as (hub, _mails):
        folder, log = Path(name), Path(name) / "access.log"
        hub.environment["GUNICORN_CMD_ARGS"] = f"--access-logfile {log} --access-logformat '{LOG_FORMAT}'"
        hub.start()
        with Victims(hub) as victims:
            if wanted.scanner == "sqlmap":
                findings = sqlmap.attack(victims, wanted, folder)
            else:
                findings = wapiti.attack(victims, wanted, folder)
        return 1 if report(hub, log, findings) else 0


if __name__ == "__main__":
    sys.exit(main())
