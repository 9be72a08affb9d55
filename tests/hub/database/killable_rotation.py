"""A process that forks rotations which are killed (SIGKILL) after so many microseconds. Talks by lines of JSON.

Started as ``python -m tests.hub.database.killable_rotation`` with DATABASE_URL set. Each input line is
``{"keys": [hex, newest first], "microseconds": n}``; each answer is whether the rotation was killed. Forking from a process
without threads costs milliseconds, where starting Python anew costs a second.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import sqlalchemy as sa

from hub import create_app
from hub.config import load_config, read_environment
from hub.contracts.actor import SYSTEM
from hub.crypto import Vault
from hub.database import envelopes
from hub.database.key_rotation import rotate_keys
from hub.extensions import db


def main() -> None:
    """Fork a rotation for each line."""
    app = create_app(load_config(read_environment()))
    envelopes.BATCH_ROWS = 4
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            app.extensions["hub_vault"] = Vault(tuple(bytes.fromhex(key) for key in asked["keys"]))
            with app.app_context():
                db.session.execute(sa.text("SELECT 1"))
                db.session.rollback()
                os.kill(os.getpid(), signal.SIGSTOP)  # ready: the clock starts when the parent lets it go on
                rotate_keys(SYSTEM)
            os._exit(0)
        os.waitpid(child, os.WUNTRACED)
        os.kill(child, signal.SIGCONT)
        time.sleep(asked["microseconds"] / 1e6)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(json.dumps(os.WIFSIGNALED(status)), flush=True)


if __name__ == "__main__":
    main()
