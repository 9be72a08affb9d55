"""wapiti: it crawls the pages as somebody signed in, then calls the API by its document."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

import requests

from tests.security.attacks.victims import Victims

#: All but those that fetch lists from elsewhere, or look for other products or other servers than this one.
MODULES = (
    *("backup", "cookieflags", "crlf", "csp", "csrf", "exec", "file", "htaccess", "http_headers", "ldap", "methods"),
    *("permanentxss", "redirect", "shellshock", "spring4shell", "sql", "timesql", "upload", "xss", "xxe"),
)
#: Where the session would end.
EXCLUDED = ("/logout", "/account/sessions*", "/account/delete*", "/account/keys/*")


def attack(victims: Victims, wanted: argparse.Namespace, folder: Path) -> list[str]:
    """What wapiti reports, as one line each."""
    victim, url = victims.make(), victims.hub.url
    seconds = str(int(wanted.minutes * 60 / 2))
    document = folder / "openapi.json"
    document.write_text(json.dumps({**requests.get(f"{url}/api/v1/openapi.json", timeout=60).json(), "servers": [{"url": url}]}))
    common = [str(wanted.scanners / "wapiti"), "--module", ",".join(MODULES), "--flush-session", "--format", "json"]
    common += ["--no-bugreport", "--scope", "domain", "--max-scan-time", seconds, "--max-links-per-page", "40", "--level", "1"]
    common += ["--max-files-per-dir", "6", "--depth", "6", "--max-attack-time", str(int(wanted.minutes * 60 / 20))]
    common += ["--store-session", str(folder / "session"), "--store-config", str(folder / "config")]
    common += [word for path in EXCLUDED for word in ("--exclude", f"{url}{path}")]
    pages = [*common, "--url", f"{url}/", "--header", f"Cookie: {victim.cookie_header}"]
    found = _run(pages, folder / "pages.json")
    caller = victims.make()  # the first one may have changed their password, which ends their programs' sessions
    api = [*common, "--url", f"{url}/api/v1/", "--swagger", str(document)]
    api += ["--header", f"Authorization: Bearer {caller.access_token}"]
    return [*found, *_run(api, folder / "api.json")]


def _run(program: list[str], output: Path) -> list[str]:
    done = subprocess.run([*program, "--output", str(output)], capture_output=True, text=True, check=False)
    print(done.stdout[-6000:], flush=True)
    if not output.exists():
        return [f"wapiti did not run: {(done.stdout + done.stderr)[-1000:]}"]
    found = json.loads(output.read_text())
    kinds = {**found["vulnerabilities"], **found["anomalies"], **found["additionals"]}
    print(f"wapiti: {found['infos']}")
    return [f"{kind}: {row['method']} {row['path']} {row['info']}" for kind, rows in kinds.items() for row in rows]
