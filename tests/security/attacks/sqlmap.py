"""sqlmap over every route: each id in its address, parameter, field of its form and text of its body."""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from tests.security.attacks.victims import Victim, Victims
from tests.security.mutating import Target, make_sample

#: sqlmap's mark of a place to inject into.
MARK = "*"
MOST_FIELDS = 12
#: Parameters that refuse whatever is not theirs before anything is looked up, and so would hide the others.
UNFIT = {"csrf_token", "cursor", "since", "until", "startedAfter", "startedBefore", "status", "period"}
SECONDS_PER_ROUTE = 180
FOUND = re.compile(r"is vulnerable|appears to be .*injectable|is .*injectable|the back-end DBMS is|Parameter: .+ \(")
NOT_FOUND = re.compile(r"not (seem|appear) to be injectable|might not be injectable|not injectable")


def attack(victims: Victims, wanted: argparse.Namespace, folder: Path) -> list[str]:
    """What sqlmap takes for an injection, by route. Each route gets a person of its own, for what it may destroy."""
    findings, ends = [], time.monotonic() + wanted.minutes * 60
    targets = [target for target in victims.targets(victims.make()) if re.search(wanted.routes, str(target.route))]
    done = places = 0
    for target in targets:
        if time.monotonic() > ends:
            break
        text = write_request(target, victims.make(), victims.hub.port)
        done += 1
        marks = text.count(MARK)
        places += marks
        if not marks:
            continue
        file = folder / "request.txt"
        file.write_text(text)
        findings += [f"{target.route}: {line}" for line in run(file, wanted, folder)]
        print(f"{done} of {len(targets)}: {target.route}, {marks} places", flush=True)
    print(f"sqlmap: {done} of {len(targets)} routes, {places} places")
    return findings


def run(file: Path, wanted: argparse.Namespace, folder: Path) -> list[str]:
    """The lines of one run that say that something was found, or that it did not run."""
    program = [str(wanted.scanners / "sqlmap"), "-r", str(file), "--batch", "--level", "2", "--risk", "1", "--technique", "BEUT"]
    program += ["--dbms", "SQLite" if wanted.database == "sqlite" else "PostgreSQL", "--disable-coloring", "--flush-session"]
    # Each request comes from another address, so that no limit of addresses ends the run.
    program += ["--tamper", "xforwardedfor", "--output-dir", str(folder / "sqlmap"), "--time-limit", str(SECONDS_PER_ROUTE)]
    program += ["--ignore-code", "*", "--skip-waf", "--timeout", "30", "--retries", "1", "--time-sec", "3"]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=SECONDS_PER_ROUTE * 2)
    lines = done.stdout.splitlines()
    if not any("testing" in line for line in lines):
        return [f"sqlmap did not run: {(done.stdout + done.stderr)[-500:]}"]
    return [line for line in lines if FOUND.search(line) and not NOT_FOUND.search(line)]


def write_request(target: Target, victim: Victim, port: int) -> str:
    """The request as text, with a mark behind every value that is somebody's to choose."""
    path = target.route.path({name: f"{value}{MARK}" for name, value in victim.ids.items()})
    lines = [f"Host: 127.0.0.1:{port}", "User-Agent: Mozilla/5.0"]
    if target.route.is_api:
        lines.append(f"Authorization: Bearer {victim.access_token}")
    else:
        lines.append(f"Cookie: {victim.cookie_header}")
    body = ""
    if target.route.method in ("GET", "DELETE"):
        names = [name for name in (*target.arguments, *dict(target.fields)) if name not in UNFIT][:MOST_FIELDS]
        path += ("?" + "&".join(f"{quote_plus(name)}=1{MARK}" for name in dict.fromkeys(names))) if names else ""
    elif target.route.is_api:
        lines.append("Content-Type: application/json")
        schema = target.schema or {}
        body = json.dumps(_marked(make_sample(schema, schema, victim.ids, random.Random(1)))) if schema else "{}"
    else:
        lines.append("Content-Type: application/x-www-form-urlencoded")
        values = [(name, value.format_map(victim.ids) if value[1:-1] in victim.ids else value) for name, value in target.fields]
        pairs = [f"{quote_plus(name)}={quote_plus(value)}{MARK}" for name, value in values if name != "csrf_token"][:MOST_FIELDS]
        body = "&".join([*pairs, f"csrf_token={quote_plus(victim.form_token)}"])
    return "\r\n".join([f"{target.route.method} {path} HTTP/1.1", *lines, "", body])


def _marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _marked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner) for inner in value]
    return f"{value}{MARK}" if isinstance(value, str) else value
