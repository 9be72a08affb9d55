"""Exported commands and programs are run for real: what arrives has to be what the hub sends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.contracts.http import MultipartBody, RequestDefinition
from hub.http_builder.exporting import export_request
from hub.http_builder.rendering import Value, Values, prepare
from tests.hub.http_builder.echo import EchoServer, Received, echo_server
from tests.hub.http_builder.exporting.strategies import definitions
from tools.node import major_version

PLAIN = {"PLAIN": "value-1.x", "NUMBER": "42", "ODD": "a b&c=d/é+%"}


@pytest.fixture(scope="module")
def server() -> Iterator[EchoServer]:
    with echo_server() as server:
        yield server


def by_hub(definition: RequestDefinition) -> Received:
    """What the hub writes on the wire."""
    wire = prepare(definition, Values([Value(name, text) for name, text in PLAIN.items()]), files={}).wire
    return Received(wire.method, "/" + wire.url.split("/", 3)[3], wire.headers, wire.body or b"")


Runner = Callable[[list[str], Path], None]


def run_all(
    requests: list[RequestDefinition], kind: str, server: EchoServer, folder: Path, run: Runner
) -> list[tuple[Received, Received, str]]:
    """Of each request what the hub sends, what the tool sent, and its export. All exports run in one process, in order."""
    exports = [export_request(request, name="x", kind=kind).text for request in requests]
    server.received.clear()
    run(exports, folder)
    assert len(server.received) == len(requests)
    return list(zip([by_hub(request) for request in requests], server.received, exports, strict=True))


def run_bash(exports: list[str], folder: Path) -> None:
    (folder / "all.sh").write_text('curl() { command curl -s --noproxy "*" -o /dev/null "$@"; }\n' + "\n".join(exports))
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder), **PLAIN}
    subprocess.run(["bash", "-e", "all.sh"], cwd=folder, env=environment, timeout=120, check=True)


def run_python(exports: list[str], folder: Path) -> None:
    (folder / "all.json").write_text(json.dumps(exports))
    program = "import json\nfor text in json.load(open('all.json')): exec(compile(text, 'export', 'exec'), {})"
    environment = {**os.environ, **PLAIN, "NO_PROXY": "*", "PYTHONWARNINGS": "ignore"}
    subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, stdout=subprocess.DEVNULL, timeout=120, check=True
    )


def run_node(exports: list[str], folder: Path) -> None:
    for number, text in enumerate(exports):
        (folder / f"{number}.mjs").write_text(text)
    imports = "".join(f'await import("./{number}.mjs");\n' for number in range(len(exports)))
    (folder / "all.mjs").write_text(imports)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **PLAIN}
    node = shutil.which("node")
    assert node
    subprocess.run([node, "all.mjs"], cwd=folder, env=environment, stdout=subprocess.DEVNULL, timeout=120, check=True)


#: Without shrinking: each try starts a process.
batches = settings(
    max_examples=3, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None, report_multiple_bugs=False
)


def has_no_dots(definition: RequestDefinition) -> bool:
    """Whether there is no ``.`` or ``..`` in the path, which requests and fetch resolve."""
    return not {".", ".."} & set(definition.url.split("/"))


def fetch_can_send(definition: RequestDefinition) -> bool:
    """Whether fetch takes it: no body with GET, and no dots for it to resolve."""
    return has_no_dots(definition) and (definition.method.value != "GET" or definition.body.kind == "none")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@batches
@given(data=st.data())
def test_exported_curl_sends_what_the_hub_sends(
    data: st.DataObject, server: EchoServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    requests = data.draw(st.lists(definitions(server.port), min_size=40, max_size=60))
    for ours, theirs, text in run_all(requests, "curl", server, tmp_path_factory.mktemp("curl"), run_bash):
        assert theirs.comparable() == ours.comparable(), text


@batches
@given(data=st.data())
def test_exported_python_sends_what_the_hub_sends(
    data: st.DataObject, server: EchoServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    requests = data.draw(st.lists(definitions(server.port).filter(has_no_dots), min_size=40, max_size=60))
    for ours, theirs, text in run_all(requests, "python-requests", server, tmp_path_factory.mktemp("python"), run_python):
        assert theirs.comparable() == ours.comparable(), text


@pytest.mark.skipif(major_version(shutil.which("node") or "false") < 18, reason="no Node.js of 18 or newer")
@batches
@given(data=st.data())
def test_exported_fetch_sends_what_the_hub_sends(
    data: st.DataObject, server: EchoServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    requests = data.draw(st.lists(definitions(server.port).filter(fetch_can_send), min_size=40, max_size=60))
    own = ("accept-language", "sec-fetch-mode")
    for ours, theirs, text in run_all(requests, "javascript-fetch", server, tmp_path_factory.mktemp("node"), run_node):
        assert as_fetch_writes(theirs.comparable(*own)) == as_fetch_writes(ours.comparable(*own)), text


def as_fetch_writes(found: tuple[object, ...]) -> tuple[object, ...]:
    """Two ways to write the same: fetch encodes an apostrophe in a query, and JavaScript a space as ``%20``."""
    method, target, headers, body = found
    assert isinstance(target, str)
    if isinstance(body, bytes) and ("content-type", "application/x-www-form-urlencoded") in (headers or []):  # type: ignore[operator]
        body = body.replace(b"+", b"%20")
    return method, target.replace("'", "%27").replace("+", "%20"), headers, body


def test_a_file_is_named_and_noted() -> None:
    body = MultipartBody.model_validate({"parts": [{"name": "f", "is_file": True, "file_name": "a b.png"}]})
    definition = RequestDefinition.model_validate({"method": "POST", "url": "https://example.com/", "body": body})
    for kind in ("curl", "python-requests", "javascript-fetch", "httpie"):
        result = export_request(definition, name="Upload", kind=kind)
        assert "a b.png" in result.text
        assert "file-beside" in {note.code for note in result.notes}
