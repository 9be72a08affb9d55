"""What the hub is made of: locked with hashes, from the registry, and no version with a known hole.

No database of holes can be asked from here, so the floors below are kept by hand: add one with each advisory.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCKS = [ROOT / "requirements.lock", ROOT / "tools" / "scanners" / "requirements.lock"]
#: The least version, and why.
FLOORS = {
    "flask": ("3.1.3", "CVE-2026-27205: Vary: Cookie left out"),
    "werkzeug": ("3.1.5", "CVE-2026-21860: names of Windows devices in safe_join"),
    "gunicorn": ("26.1", "CVE-2024-1135, CVE-2024-6827: request smuggling"),
    "jinja2": ("3.1.6", "CVE-2025-27516: out of the sandbox by |attr"),
    "urllib3": ("2.6.0", "CVE-2025-66471: bombs while streaming"),
    "requests": ("2.32.4", "CVE-2024-47081: .netrc leaked"),
    "cryptography": ("44.0.1", "CVE-2024-12797: OpenSSL's raw public keys"),
    "certifi": ("2024.7.4", "CVE-2024-39689: an authority that lost its trust"),
    "idna": ("3.7", "CVE-2024-3651: quadratic time"),
    "h11": ("0.16.0", "CVE-2025-43859: chunked bodies misread"),
    "pyjwt": ("2.10.1", "CVE-2024-53861: part of an issuer taken for the whole"),
    "starlette": ("0.49.1", "CVE-2025-62727: quadratic time in Range"),
    "brotli": ("1.2.0", "CVE-2025-6176: bombs"),
    "setuptools": ("78.1.1", "CVE-2025-47273: a path out of the folder"),
}


def read_lock(lock: Path) -> dict[str, str]:
    """Package -> version."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_known_holes_are_closed(lock: Path) -> None:
    versions = read_lock(lock)
    old = {
        name: (versions[name], why)
        for name, (least, why) in FLOORS.items()
        if name in versions and Version(versions[name]) < Version(least)
    }
    assert old == {}


def test_the_floors_are_of_what_is_used() -> None:
    assert set(FLOORS) & set(read_lock(LOCKS[0])) >= {"flask", "werkzeug", "gunicorn", "jinja2", "urllib3", "cryptography"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_everything_is_pinned_and_hashed(lock: Path) -> None:
    """No version is open, and nothing comes from elsewhere than the registry."""
    entries = re.split(r"\n(?=[a-z])", re.sub(r"^\s*#.*\n", "", lock.read_text(), flags=re.MULTILINE).strip())
    assert len(entries) > 50
    assert [entry for entry in entries if "==" not in entry.splitlines()[0] or "--hash=sha256:" not in entry] == []
    assert not re.search(r"git\+|https?://|file:", lock.read_text())


def test_scanners_stay_out_of_the_hub() -> None:
    """They bring packages and older versions that have no place in it."""
    assert not {"semgrep", "bandit", "mcp", "cyclonedx-bom"} & set(read_lock(LOCKS[0]))


def test_the_browsers_part_is_locked_too() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    pinned = [package for place, package in packages.items() if place]
    assert pinned
    assert [package for package in pinned if not package["integrity"].startswith("sha512-")] == []
