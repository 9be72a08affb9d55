"""``hub run``: both children live and end together, and a dead worker comes back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hub.config import ROOT

#: A supervisor over two scripts that write what happens to them into a file, one word a line.
SUPERVISE = """
import sys
from hub.cli import running
running.SHORT_LIFE_SECONDS = 0
sys.exit(running.Supervisor([sys.executable, "-c", sys.argv[1]], [sys.executable, "-c", sys.argv[2]]).run())
"""
#: One write a line: both write into the same pipe. The signal is blocked until it is waited for, so that none is missed.
WAIT = "import os, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
WAIT += "os.write(1, b'{0} started\\n'); signal.sigwait([signal.SIGTERM]); os.write(1, b'{0} ended\\n')"


def supervise(web: str, worker: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SUPERVISE, web, worker]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_signal_ends_both_gently() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with supervise(WAIT.format("web"), WAIT.format("worker")) as running:
            assert running.stdout is not None
            assert {running.stdout.readline(), running.stdout.readline()} == {"web started\n", "worker started\n"}
            running.send_signal(number)
            output, _ = running.communicate()
        assert sorted(output.split("\n")) == ["", "web ended", "worker ended"]
        assert running.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_kill_ends_both_too() -> None:
    with supervise(WAIT.format("web"), WAIT.format("worker")) as running:
        assert running.stdout is not None
        assert {running.stdout.readline(), running.stdout.readline()} == {"web started\n", "worker started\n"}
        running.kill()
        output, _ = running.communicate()  # until both have closed the pipe
    assert sorted(output.split("\n")) == ["", "web ended", "worker ended"]


def test_a_dead_worker_is_started_again(tmp_path: Path) -> None:
    worker = f"import os, pathlib, signal; mark = pathlib.Path({str(tmp_path / 'died')!r})\n"
    worker += "if not mark.exists(): mark.touch(); os.kill(os.getpid(), signal.SIGKILL)\n" + WAIT.format("worker")
    with supervise(WAIT.format("web"), worker) as running:
        assert running.stdout is not None
        assert {running.stdout.readline(), running.stdout.readline()} == {"web started\n", "worker started\n"}
        running.terminate()
        _, errors = running.communicate()
    assert "the worker ended with -9; starting it again" in errors
    assert running.returncode == 0


def test_a_dead_web_server_ends_the_worker() -> None:
    with supervise("import sys; sys.stdin.close(); sys.exit(3)", WAIT.format("worker")) as running:
        running.communicate()
    assert running.returncode == 3


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environ = {**os.environ, "HUB_PORT": str(taken.getsockname()[1]), "HUB_INSTANCE_DIR": str(tmp_path)}
        command = [sys.executable, "-m", "hub", "run"]
        result = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "choose another HUB_PORT" in result.stderr
    assert len(result.stderr.splitlines()) == 1
