"""``hub analyze`` as a program: with no database, no configuration and no n8n."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hub.analyses.fake_n8n import failed_execution, make_workflow

HUB = Path(sys.executable).with_name("hub")


def analyze(tmp_path: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    own = ("HUB_", "DATABASE_URL", "ENCRYPTION_KEY")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    environment |= {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "HUB_INSTANCE_DIR": str(tmp_path / "none")}
    return subprocess.run(
        [HUB, "analyze", *arguments], input=text, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60
    )


def answer(**more: Any) -> str:
    return json.dumps({"execution": failed_execution(), "workflow": make_workflow(), **more})


def test_answer_is_the_bench_form(tmp_path: Path) -> None:
    done = analyze(tmp_path, "-", text=answer())
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert set(said) == {"cause", "node", "confidence", "summary", "suggestions"}
    assert (said["cause"], said["node"]) == ("not-found", "Fetch")
    assert all(set(each) == {"title", "explanation", "kind", "patch", "confidence"} for each in said["suggestions"])
    assert "INLINESECRET" not in done.stdout
    assert not (tmp_path / "none").exists()


def test_prose_in_both_languages(tmp_path: Path) -> None:
    file = tmp_path / "execution.json"
    file.write_text(answer())
    assert "Cause: not-found" in analyze(tmp_path, str(file), "--explain").stdout
    assert "السبب: not-found" in analyze(tmp_path, str(file), "--explain", "--language", "ar").stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "empty"), ("{", "not JSON"), ("{}", "no workflow"), ("[]", "JSON object"), ('{"execution": 1}', '"execution"')],
)
def test_bad_input_ends_with_2_and_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    done = analyze(tmp_path, "-", text=text)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_file_ends_with_2(tmp_path: Path) -> None:
    done = analyze(tmp_path, "nowhere.json")
    assert done.returncode == 2
    assert "nowhere.json" in done.stderr
