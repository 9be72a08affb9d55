"""Each command of the corpus is run by the real curl and by the hub: what arrives at the server has to be the same."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hub.contracts.http import BinaryBody, MultipartBody, RequestDefinition, RequestDraft
from hub.egress import EgressPolicy, send_exchange
from hub.http_builder.importing import import_text
from hub.http_builder.rendering import FileContent, Prepared, Scope, Value, Values, find_names, prepare
from tests.hub.http_builder.echo import Received, echo_server

FOLDER = Path(__file__).parent / "curl_commands"
CURL = shutil.which("curl")
#: Files that commands name, with their content.
FILES = {
    "photo.png": b"\x89PNG\r\n\x1a\n\x00\xff",
    "icon.png": b"\x89PNG small",
    "note.txt": b"one\ntwo\r\n",
    "page.html": b"<p>page</p>",
    "data.bin": bytes(range(256)),
    "mydata.jsonl": b'{"a":1}\n{"a":2}\n',
    "payload.json": b'{"data": {"a": "b"}}',
}
MARK = "/mark-"


def read_corpus() -> dict[str, str]:
    """The commands by file and title."""
    commands = {}
    for file in sorted(FOLDER.glob("*.txt")):
        for entry in re.split(r"^### ", file.read_text(), flags=re.MULTILINE)[1:]:
            title, _line, command = entry.partition("\n")
            commands[f"{file.stem}: {title}"] = command.rstrip("\n")
    return commands


CORPUS = read_corpus()


def at_server(command: str, port: int) -> str:
    """The command with every host replaced by the server."""
    command = re.sub(r"https?://([^/\s'\"@]*@)?[^/\s'\"?]+", rf"http://\g<1>127.0.0.1:{port}", command, flags=re.IGNORECASE)
    command = re.sub(r"localhost:\d+", f"127.0.0.1:{port}", command)
    return command.replace("Host: 127.0.0.1", f"Host: 127.0.0.1:{port}").replace("/path/to/", "")


def variables_of(command: str) -> dict[str, str]:
    """A value for every variable of the shell that the command does not set itself."""
    names = set(re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", command)) - set(re.findall(r"^(?:export )?([A-Z_]+)=", command, re.M))
    return {name: f"value-of.{name.lower()}" for name in sorted(names)}


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, list[Received]]]:
    """The port, and what curl sent for each command: all are run by one bash, with a request between them that says which."""
    if CURL is None:
        pytest.skip("curl is not installed")
    folder = tmp_path_factory.mktemp("corpus")
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    with echo_server() as server:
        script = ["jq() { cat >/dev/null; }", 'sudo() { "$@"; }', f'curl() {{ {CURL} -s --noproxy "*" "$@"; }}']
        for number, command in enumerate(CORPUS.values()):
            text = at_server(command, server.port).removeprefix("$ ")
            # curl's help says what --photo is only in a path; the corpus keeps the folder that people write.
            exports = "".join(f"export {name}={value}\n" for name, value in variables_of(command).items())
            (folder / f"{number}.sh").write_text(f"{exports}{text}\n")
            script.append(f"curl http://127.0.0.1:{server.port}{MARK}{number}; ( . ./{number}.sh )")
        (folder / "all.sh").write_text("\n".join(script) + "\n")
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["bash", "all.sh"], cwd=folder, env=environment, capture_output=True, timeout=120, check=False)
        received = list(server.received)
    found: dict[str, list[Received]] = {title: [] for title in CORPUS}
    title = ""
    for request in received:
        if request.target.startswith(MARK):
            title = list(CORPUS)[int(request.target.removeprefix(MARK))]
        else:
            found[title].append(request)
    assert done.returncode == 0, done.stderr.decode()
    return server.port, found


def send_by_hub(draft: RequestDraft, variables: dict[str, str]) -> Received:
    """What the hub writes on the wire for a draft."""
    wire = prepare_draft(draft, variables).wire
    target = "/" + wire.url.split("/", 3)[3]
    return Received(wire.method, target, wire.headers, wire.body or b"")


def prepare_draft(draft: RequestDraft, variables: dict[str, str]) -> Prepared:
    """A draft of the corpus, ready to be sent."""
    definition, files = with_files(draft.definition)
    values = [Value(name, text, secret=True, hosts=("127.0.0.1",), scope=Scope.REQUEST) for name, text in draft.secrets.items()]
    values += [Value(name, text) for name, text in variables.items() if name in find_names(definition)]
    return prepare(definition, Values(values), files=files)


def with_files(definition: RequestDefinition) -> tuple[RequestDefinition, dict[str, FileContent]]:
    """The definition with the files of the corpus chosen."""
    files = {name: FileContent(name, "application/octet-stream", content) for name, content in FILES.items()}
    body = definition.body
    if isinstance(body, BinaryBody):
        body = body.model_copy(update={"file_id": body.file_name})
    elif isinstance(body, MultipartBody):
        original = {"me.png": "photo.png"}
        parts = tuple(
            part.model_copy(update={"file_id": original.get(part.file_name or "", part.file_name)}) if part.is_file else part
            for part in body.parts
        )
        body = body.model_copy(update={"parts": parts})
    return definition.model_copy(update={"body": body}), files


def test_corpus_is_large() -> None:
    assert len(CORPUS) >= 120


@pytest.mark.parametrize("title", CORPUS)
def test_hub_sends_what_curl_sends(title: str, sent: tuple[int, dict[str, list[Received]]]) -> None:
    port, received = sent
    result = import_text(at_server(CORPUS[title], port))
    assert result.kind == "curl"
    ours = [send_by_hub(draft, variables_of(CORPUS[title])).comparable() for draft in result.drafts]
    assert received[title], "curl sent nothing"
    # Accept */* is what both send by themselves, and only curl can be told not to.
    assert ours == [request.comparable() for request in received[title]]


def test_what_is_prepared_arrives() -> None:
    policy = EgressPolicy(loopback=True)
    with echo_server() as server:
        for title, command in CORPUS.items():
            for draft in import_text(at_server(command, server.port)).drafts:
                prepared = prepare_draft(draft, variables_of(command))
                send_exchange(policy, prepared.wire, prepared.limits)
                target = "/" + prepared.wire.url.split("/", 3)[3]
                wanted = Received(prepared.wire.method, target, prepared.wire.headers, prepared.wire.body or b"")
                assert server.received[-1].comparable() == wanted.comparable(), title
    assert len(server.received) >= len(CORPUS)


@pytest.mark.parametrize("title", CORPUS)
def test_no_secret_stays_in_a_definition(title: str) -> None:
    for draft in import_text(CORPUS[title]).drafts:
        written = draft.definition.model_dump_json()
        for value in draft.secrets.values():
            assert len(value) < 6 or value not in written
