"""The tables of docs/service-packs.md say what the packs say."""

from __future__ import annotations

from hub.catalog.packs import load_pack
from hub.config import ROOT

FOLDERS = sorted(file.parent.name for file in (ROOT / "plugins/services").glob("*/pack.yaml"))
PACKS = [load_pack(f"plugins.services.{folder}") for folder in FOLDERS]


def service_rows() -> list[str]:
    rows = []
    for pack in PACKS:
        ways = " or ".join(auth.type for auth in (pack.auth, *(other.auth for other in pack.other_auth)))
        words = "the address" if ways == "none" else ways
        hosts = ", ".join(f"`{host}`" for host in pack.hosts)
        rows.append(f"| {pack.service_name.en} | {hosts} | {words} | {pack.spec.source} {pack.spec.version}, {pack.spec.date} |")
    return rows


def request_rows() -> list[str]:
    return [
        f"| {pack.service_name.en} | {endpoint.endpoint_name.en} | `{endpoint.source}` |"
        for pack in PACKS
        for endpoint in pack.endpoints
    ]


def test_the_tables_are_complete() -> None:
    lines = (ROOT / "docs/service-packs.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and line not in ("| service | request | operation |",)]
    assert [row for row in rows if not row.startswith("| service |")] == [*service_rows(), *request_rows()]
