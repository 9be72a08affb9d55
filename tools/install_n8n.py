"""Install the n8n of the tests and the demo, once, outside of the repository.

The folder is HUB_N8N_CACHE or ~/.cache/ai-http-hub/n8n-<version>. n8n's SQLite driver has no prebuilt binary that can be
fetched from the registry, so it is compiled here: a C++ compiler is needed once. Takes about five minutes and 3 GB.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from node import find_node

VERSION = "2.40.7"
NODE = 24


def main() -> int:
    folder = n8n_folder()
    if is_usable(folder):
        return 0
    if not shutil.which("c++"):
        print("n8n's SQLite driver must be compiled: install a C++ compiler and make first", file=sys.stderr)
        return 1
    print(f"installing n8n {VERSION} into {folder}; this takes some minutes", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n')
    node = find_node(NODE)
    quiet = ("--no-audit", "--no-fund", "--loglevel=error")
    node.run_npm("install", f"n8n@{VERSION}", "--save-exact", "--ignore-scripts", *quiet, folder=folder)
    if node.headers:
        os.environ["NPM_CONFIG_NODEDIR"] = str(node.headers)
    node.run_npm("rebuild", "sqlite3", "--build-from-source", *quiet, folder=folder)
    if not is_usable(folder):
        print(f"n8n in {folder} has no SQLite driver; remove the folder and try again", file=sys.stderr)
        return 1
    return 0


def n8n_folder() -> Path:
    """Where n8n is or will be installed."""
    default = Path.home() / ".cache" / "ai-http-hub" / f"n8n-{VERSION}"
    return Path(os.environ.get("HUB_N8N_CACHE") or default)


def n8n_script(folder: Path) -> Path:
    """What Node runs to start n8n."""
    return folder / "node_modules" / "n8n" / "bin" / "n8n"


def is_usable(folder: Path) -> bool:
    """Whether n8n and its compiled SQLite driver are there."""
    driver = folder / "node_modules" / "sqlite3" / "build" / "Release" / "node_sqlite3.node"
    return n8n_script(folder).exists() and driver.exists()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"the installation stopped: {error}")
