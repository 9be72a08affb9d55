"""`make demo`: a real n8n, a small shop whose workflows partly fail, and the hub connected to it. Ctrl-C ends all three.

Everything lies in `instance/demo` and starts anew each time.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from hub import create_app
from hub.accounts.actors import Client
from hub.accounts.users import register_user
from hub.children import start_child
from hub.config import ROOT
from hub.demo.n8n_server import N8nServer, free_port, is_free
from hub.demo.shop import PORT as SHOP_PORT
from hub.demo.shop import Shop
from hub.demo.shop_workflows import create_workflows, read_workflows, run_workflows
from hub.instances.services import create_instance
from hub.sync.services import request_sync

FOLDER = ROOT / "instance" / "demo"
HUB_PORT, N8N_PORT = 8000, 5678
EMAIL, PASSWORD, NAME = "demo@example.com", "corner-shop-demo", "Demo"


def main() -> int:
    """Run the demo until Ctrl-C or SIGTERM; the exit status of the hub."""
    # Also where the shell that started us ignores Ctrl-C, as it does for commands in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if not is_free(SHOP_PORT):
        print(f"port {SHOP_PORT} is taken; the demo's shop needs it (is another demo running?)", file=sys.stderr)
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    hub_port = HUB_PORT if is_free(HUB_PORT) else free_port()
    os.environ.update(hub_settings(FOLDER, hub_port))
    with ExitStack() as running:
        shop = Shop(SHOP_PORT)
        shop.start()
        running.callback(shop.shutdown)
        say("starting n8n (half a minute)")
        n8n = N8nServer(FOLDER / "n8n", port=N8N_PORT if is_free(N8N_PORT) else None)
        running.callback(n8n.stop)
        n8n.start()
        open_shop(n8n)
        connect(n8n)
        say(f"open      http://127.0.0.1:{hub_port}    sign in as {EMAIL} with {PASSWORD}")
        say(f"n8n is at {n8n.url}    sign in as {n8n.owner_email} with {n8n.owner_password}")
        say("Ctrl-C ends everything")
        return run_hub()


def hub_settings(folder: Path, port: int) -> dict[str, str]:
    """Settings of the demo's hub: development, with a database, a key and a folder of its own."""
    return {
        "HUB_ENV": "development",
        "HUB_INSTANCE_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/hub.db",
        "ENCRYPTION_KEY": "",
        "HUB_PORT": str(port),
    }


def open_shop(n8n: N8nServer) -> None:
    """Create, publish and start the workflows; say what came of each."""
    workflows = read_workflows()
    say(f"creating {len(workflows)} workflows")
    ids = create_workflows(n8n, workflows)
    for workflow, execution in run_workflows(n8n, workflows, ids):
        print(f"    {execution['status']:8} {workflow.workflow['name']}", flush=True)


def connect(n8n: N8nServer) -> None:
    """Make the hub's database, a person, and the connection to the n8n; its first sync runs as soon as the hub does."""
    subprocess.run([sys.executable, "-m", "hub", "db", "upgrade"], check=True)
    with create_app().app_context():
        client = Client(via="cli")
        actor = client.as_actor(register_user(EMAIL, PASSWORD, NAME, client=client, verified=True).id)
        instance = create_instance(actor, name="Corner shop", url=n8n.url, api_key=n8n.api_key)
        request_sync(actor, instance.id)


def run_hub() -> int:
    """Run the hub until it ends or Ctrl-C. It has a process group of its own, so that it is told once, by us."""
    hub = start_child([sys.executable, "-m", "hub", "run"], process_group=0)
    try:
        return hub.wait()
    except KeyboardInterrupt:
        hub.terminate()
        hub.wait(30)
        return 0


def say(text: str) -> None:
    print(f"demo: {text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("demo: stopped")
