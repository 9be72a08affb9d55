"""Install the n8n of the tests and the demo, once, outside of the repository.

The folder is HUB_N8N_CACHE or ~/.cache/ai-http-hub/n8n-<version>; its start.json says how n8n is started. n8n's SQLite
driver has no prebuilt binary that can be fetched from the registry, so it is compiled here: a C++ compiler is needed
once. Takes about five minutes and 3 GB.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from node import CACHE, Node, find_node

VERSION = "2.40.7"
NODE = 24


def main() -> int:
    folder = Path(os.environ.get("HUB_N8N_CACHE") or CACHE / f"n8n-{VERSION}")
    if is_usable(folder) and is_startable(folder):
        return 0
    node = find_node(NODE)
    if not is_usable(folder):
        install(node, folder)
    command = [str(node.program), str(folder / "node_modules" / "n8n" / "bin" / "n8n"), "start"]
    (folder / "start.json").write_text(json.dumps({"command": command, "version": VERSION}) + "\n")
    return 0


def install(node: Node, folder: Path) -> None:
    """Fetch n8n with all it needs and compile its SQLite driver; exits with a message where that cannot work."""
    if not shutil.which("c++"):
        sys.exit("n8n's SQLite driver must be compiled: install a C++ compiler and make first")
    print(f"installing n8n {VERSION} into {folder}; this takes some minutes", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n')
    quiet = ("--no-audit", "--no-fund", "--loglevel=error")
    node.run_npm("install", f"n8n@{VERSION}", "--save-exact", "--ignore-scripts", *quiet, folder=folder)
    if node.headers:
        os.environ["NPM_CONFIG_NODEDIR"] = str(node.headers)
    node.run_npm("rebuild", "sqlite3", "--build-from-source", *quiet, folder=folder)
    if not is_usable(folder):
        sys.exit(f"n8n in {folder} has no SQLite driver; remove the folder and try again")


def is_usable(folder: Path) -> bool:
    """Whether n8n and its compiled SQLite driver are there."""
    driver = folder / "node_modules" / "sqlite3" / "build" / "Release" / "node_sqlite3.node"
    return (folder / "node_modules" / "n8n" / "bin" / "n8n").exists() and driver.exists()


def is_startable(folder: Path) -> bool:
    """Whether start.json names a Node that is still there."""
    start = folder / "start.json"
    return start.exists() and Path(json.loads(start.read_text())["command"][0]).exists()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"the installation stopped: {error}")
