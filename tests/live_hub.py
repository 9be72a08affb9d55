"""The hub as people run it: `hub db upgrade`, then `hub run` (gunicorn and worker) on a free port, in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import requests

from hub.demo.n8n_server import free_port

ROOT = Path(__file__).resolve().parent.parent
HUB = Path(sys.executable).with_name("hub")


class LiveHub:
    """One running hub. `settings` are environment variables over the defaults of a development hub on SQLite."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_file = folder / "hub.log"
        own = ("HUB_", "DATABASE_URL", "ENCRYPTION_KEY")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(own)} | {
            "HUB_ENV": "development",
            "HUB_INSTANCE_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder}/hub.db",
            "HUB_PORT": str(self.port),
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, patience: float = 60) -> None:
        """Migrate, start, and wait until `/healthz` answers 200; raises RuntimeError with the log's end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.command("db", "upgrade")
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [HUB, "run"], cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(requests.ConnectionError):
                if requests.get(f"{self.url}/healthz", timeout=5).status_code == 200:
                    return
            time.sleep(0.1)
        self.stop()
        raise RuntimeError("the hub did not start:\n" + self.log()[-3000:])

    def command(self, *arguments: str, text: str | None = None) -> str:
        """Run `hub ARGUMENTS` on this hub's data; its standard output. Raises RuntimeError with what it said on failure."""
        done = subprocess.run(
            [HUB, *arguments], cwd=ROOT, env=self.environment, input=text, capture_output=True, text=True, timeout=120
        )
        if done.returncode:
            raise RuntimeError(f"hub {' '.join(arguments)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def log(self) -> str:
        """What the hub printed so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def processes(self) -> list[psutil.Process]:
        """The hub's processes: supervisor, web server and its workers, background worker."""
        supervisor = psutil.Process(self._process.pid) if self._process else None
        return [supervisor, *supervisor.children(recursive=True)] if supervisor else []

    def stop(self) -> None:
        """Stop as Ctrl-C does; kill what does not end."""
        if not self._process or self._process.poll() is not None:
            return
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
