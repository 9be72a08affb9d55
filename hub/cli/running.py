"""``hub run`` and ``hub worker``."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from hub.children import start_child
from hub.config import ROOT, Config, load_config
from hub.errors import Conflict

WEB = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")]
WORKER = [sys.executable, "-m", "hub", "worker"]
#: A worker that ends sooner than this is broken rather than unlucky, so it is not started again at once.
SHORT_LIFE_SECONDS = 10


@click.command()
@click.option("--no-worker", is_flag=True, help="Serve pages only; background work runs elsewhere.")
def run(no_worker: bool) -> None:
    """Start the web server and the background worker; Ctrl-C ends both."""
    config = load_config()
    _require_free(config)
    host = f"[{config.host}]" if ":" in config.host else config.host
    click.echo(f"AI-HTTP Hub: {config.public_url or f'http://{host}:{config.port}'}  (Ctrl-C ends it)", err=True)
    sys.exit(Supervisor(WEB, None if no_worker else WORKER).run())


@click.command()
@with_appcontext
def worker() -> None:
    """Run background jobs (sync, repairs, housekeeping) until SIGTERM or Ctrl-C."""
    from hub.database.envelopes import warn_of_lost_keys
    from hub.jobs.worker import run_worker  # brings APScheduler, which ``hub run`` does not need

    config: Config = current_app.extensions["hub_config"]
    logging.basicConfig(level=config.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    warn_of_lost_keys()
    run_worker(current_app._get_current_object())  # type: ignore[attr-defined]


class Supervisor:
    """Runs the web server and one worker as children: a dead worker is started anew, a dead web server ends both."""

    def __init__(self, web: list[str], worker: list[str] | None) -> None:
        self._commands = {"web": web, **({"worker": worker} if worker else {})}
        self._children: dict[int, tuple[str, subprocess.Popen[Any], float]] = {}
        self._stopping = False

    def run(self) -> int:
        """Wait until all children ended; the exit code is the web server's, 0 after a stop that was asked for."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        for name in self._commands:
            self._start(name)
        code = 0
        while self._children:
            pid, status = os.wait()  # signal handlers run meanwhile
            if pid not in self._children:
                continue
            name, _, started = self._children.pop(pid)
            ended = os.waitstatus_to_exitcode(status)
            if self._stopping:
                continue
            if name == "web":
                code = abs(ended) or 1
                self._stop()
            else:
                click.echo(f"hub: the worker ended with {ended}; starting it again", err=True)
                if time.monotonic() - started < SHORT_LIFE_SECONDS:
                    time.sleep(1)
                if not self._stopping:
                    self._start(name)
        return code

    def _start(self, name: str) -> None:
        # A process group of its own: Ctrl-C reaches the children only through us, so that they end gently.
        child = start_child(self._commands[name], cwd=ROOT, process_group=0)
        self._children[child.pid] = (name, child, time.monotonic())

    def _stop(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """End gently; at the second time at once."""
        number = signal.SIGKILL if self._stopping else signal.SIGTERM
        self._stopping = True
        for pid in list(self._children):
            os.kill(pid, number)

    def _reload(self, _number: int, _frame: FrameType | None) -> None:
        """SIGHUP: gunicorn replaces its workers, and the background worker is started anew."""
        for pid, (name, _, _) in list(self._children.items()):
            os.kill(pid, signal.SIGHUP if name == "web" else signal.SIGTERM)


def _require_free(config: Config) -> None:
    """A clear line where the address is taken, instead of gunicorn's retries."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise Conflict(f"{config.host}:{config.port} cannot be opened ({reason}); choose another HUB_PORT.") from error
