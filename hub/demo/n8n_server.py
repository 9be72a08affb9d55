"""A real n8n in a process of its own, on loopback and in a folder of its own, for the demo and the tests."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from hub.children import start_child

VERSION = "2.40.7"
READY_LINE = "Editor is now accessible via"
ENDED = ("success", "error", "crashed", "canceled")


class N8nNotInstalled(Exception):
    """There is no n8n in the cache; `make n8n` puts one there."""


class N8nRefused(Exception):
    """n8n answered a call of the harness with an error; the message holds call, status and answer."""


def installation() -> Path:
    """The folder that `tools/install_n8n.py` filled; HUB_N8N_CACHE names another one."""
    default = Path.home() / ".cache" / "ai-http-hub" / f"n8n-{VERSION}"
    return Path(os.environ.get("HUB_N8N_CACHE") or default)


def free_port() -> int:
    """A loopback port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether nothing listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


class N8nServer:
    """One n8n. `start` returns when it is ready and has an owner and an API key with every scope.

    `folder` keeps its database and log, so that a second start with the same folder finds everything again.
    """

    owner_email = "owner@example.com"
    owner_password = "Corner-Shop-2026"  # noqa: S105 - of a throw-away server on loopback

    def __init__(self, folder: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.api_key = ""
        self.session = requests.Session()
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[str] | None = None
        self._ready = threading.Event()

    def start(self, patience: float = 180) -> None:
        """Start n8n and wait until it answers; raises N8nNotInstalled, or RuntimeError with the log's end."""
        start_file = installation() / "start.json"
        if not start_file.exists():
            raise N8nNotInstalled(f"no n8n in {start_file.parent}: run 'make n8n' first")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ready.clear()
        self._process = start_child(  # the command that the installation wrote
            json.loads(start_file.read_text())["command"],
            env=self._environment(),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._follow_log, args=(self._process,), daemon=True).start()
        if not self._ready.wait(patience) or self._process.poll() is not None:
            self.kill()
            raise RuntimeError("n8n did not start:\n" + self.log()[-2000:])
        if not self.api_key:
            self._sign_in()
            self._create_api_key()

    def stop(self) -> None:
        """End n8n as an operator would, and make sure of it."""
        self._signal(signal.SIGTERM)
        try:
            if self._process:
                self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End n8n and its task runner at once, as a crash would."""
        self._signal(signal.SIGKILL)
        if self._process:
            self._process.wait(10)

    def log(self) -> str:
        """What n8n printed so far."""
        file = self.folder / "n8n.log"
        return file.read_text() if file.exists() else ""

    def api(self, method: str, path: str, **arguments: Any) -> Any:
        """One call of the public API, e.g. `api("GET", "/workflows", params={"limit": 250})`; the decoded JSON."""
        headers = {"X-N8N-API-KEY": self.api_key}
        reply = self.session.request(method, f"{self.url}/api/v1{path}", headers=headers, timeout=120, **arguments)
        return _answer(reply)

    def create_workflow(self, document: Mapping[str, Any], *, publish: bool = True) -> str:
        """Create a workflow and publish it; its id."""
        workflow_id: str = self.api("POST", "/workflows", json=document)["id"]
        if publish:
            self.api("POST", f"/workflows/{workflow_id}/activate", json={})
        return workflow_id

    def newest_execution(self, workflow_id: str) -> dict[str, Any] | None:
        """The workflow's newest execution without its data, None where it never ran."""
        found = self.api("GET", "/executions", params={"workflowId": workflow_id, "limit": 1})["data"]
        return found[0] if found else None

    def execution(self, execution_id: str) -> dict[str, Any]:
        """An execution with its data."""
        answer: dict[str, Any] = self.api("GET", f"/executions/{execution_id}", params={"includeData": "true"})
        return answer

    def run_webhook(self, workflow_id: str, trigger: Mapping[str, Any], patience: float = 60) -> dict[str, Any]:
        """Call a published webhook and return the execution that it starts, once it has ended.

        `trigger` holds `path`, `method` and optionally `body`. Publishing goes on in the background, so a webhook may
        answer 404 for some seconds. Raises TimeoutError where no execution ends in `patience` seconds.
        """
        before = self.newest_execution(workflow_id)
        last_id = int(before["id"]) if before else 0
        deadline = time.monotonic() + patience
        called = False
        while time.monotonic() < deadline:
            if not called:
                url = f"{self.url}/webhook/{trigger['path']}"
                reply = requests.request(trigger["method"], url, json=trigger.get("body"), timeout=patience)
                called = reply.status_code != 404
            newest = self.newest_execution(workflow_id)
            if newest and int(newest["id"]) > last_id and newest["status"] in ENDED:
                return self.execution(newest["id"])
            time.sleep(0.25)
        raise TimeoutError(f"workflow {workflow_id}: no execution ended within {patience} s of calling {trigger['path']}")

    def _environment(self) -> dict[str, str]:
        names = ("PATH", "HOME", "LANG", "TMPDIR")
        return {
            **{name: os.environ[name] for name in names if name in os.environ},
            "N8N_USER_FOLDER": str(self.folder),
            "N8N_PORT": str(self.port),
            "N8N_LISTEN_ADDRESS": "127.0.0.1",
            "N8N_RUNNERS_BROKER_PORT": str(free_port()),
            "N8N_SECURE_COOKIE": "false",
            "N8N_DIAGNOSTICS_ENABLED": "false",
            "N8N_TEMPLATES_ENABLED": "false",
            "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
            "N8N_PERSONALIZATION_ENABLED": "false",
            "N8N_HIRING_BANNER_ENABLED": "false",
            "N8N_DISABLED_MODULES": "mcp-registry,community-packages",  # both ask hosts on the internet
            "GENERIC_TIMEZONE": "UTC",
            **self._settings,
        }

    def _follow_log(self, process: subprocess.Popen[str]) -> None:
        """Keep what n8n prints; its ready line, or its end, wakes `start`."""
        with process, (self.folder / "n8n.log").open("a") as file:  # closes the pipe at the end
            for line in process.stdout or ():
                file.write(line)
                file.flush()
                if READY_LINE in line:
                    self._ready.set()
        self._ready.set()

    def _signal(self, number: int) -> None:
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def _sign_in(self) -> None:
        """Create the owner, or sign in where the folder already has one."""
        owner = {"email": self.owner_email, "password": self.owner_password, "firstName": "Sam", "lastName": "Shop"}
        reply = self.session.post(f"{self.url}/rest/owner/setup", json=owner, timeout=60)
        if not reply.ok:
            login = {"emailOrLdapLoginId": self.owner_email, "password": self.owner_password}
            reply = self.session.post(f"{self.url}/rest/login", json=login, timeout=60)
        _answer(reply)

    def _create_api_key(self) -> None:
        scopes = _answer(self.session.get(f"{self.url}/rest/api-keys/scopes", timeout=60))["data"]
        wanted = {"label": f"hub {secrets.token_hex(4)}", "scopes": scopes, "expiresAt": None}
        created = _answer(self.session.post(f"{self.url}/rest/api-keys", json=wanted, timeout=60))
        self.api_key = created["data"]["rawApiKey"]


def _answer(reply: requests.Response) -> Any:
    if not reply.ok:
        raise N8nRefused(f"{reply.request.method} {reply.url}: {reply.status_code} {reply.text[:300]}")
    return reply.json() if reply.content else None
