"""``hub plugin new service`` and ``hub plugin check``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.catalog.packs import load_pack
from hub.cli.plugins import plugin

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Pet Shop", "version": "1"},
    "servers": [{"url": "https://api.pets.example/v1"}],
    "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    "security": [{"key": []}],
    "paths": {
        "/pets": {
            "get": {
                "operationId": "listPets",
                "summary": "List pets",
                "tags": ["pets"],
                "parameters": [{"name": "limit", "in": "query", "required": True, "schema": {"type": "integer", "example": 10}}],
                "responses": {},
            },
            "post": {
                "operationId": "createPet",
                "tags": ["pets"],
                "requestBody": {
                    "content": {"application/json": {"schema": {"type": "object", "properties": {"name": {"type": "string"}}}}}
                },
                "responses": {},
            },
        },
        "/pets/{petId}": {
            "get": {
                "operationId": "getPet",
                "tags": ["pets"],
                "parameters": [{"name": "petId", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {},
            }
        },
        "/status": {"get": {"operationId": "getStatus", "security": [], "responses": {}}},
    },
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; what ``check`` imports is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("hub_"):
            del sys.modules[name]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(plugin, arguments)


def test_a_new_project_passes_at_once_with_its_test(here: Path) -> None:
    made = run("new", "service", "acme-pets")
    assert made.exit_code == 0, made.output
    checked = run("check", "hub-acme-pets")
    assert checked.exit_code == 0, checked.output
    assert checked.output.splitlines() == [
        "acme_pets loads: Acme Pets: ready requests.",
        "acme-pets: 2 requests, secrets may go to api.example.com",
    ]
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "tests"],
        cwd=here / "hub-acme-pets",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(here / "hub-acme-pets"), str(Path(__file__).parents[3])])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in tests.stdout, tests.stdout + tests.stderr


def test_a_document_becomes_a_pack(here: Path) -> None:
    (here / "pets.json").write_text(json.dumps(DOCUMENT))
    made = run(
        "new", "service", "pets", "--openapi", "pets.json", "--operations", "listPets, getPet,createPet", "--folder", "out"
    )
    assert made.exit_code == 0, made.output
    assert run("check", "out").exit_code == 0
    pack = load_pack(here / "out/hub_pets/pack.yaml")
    assert (pack.service_name.en, pack.hosts, pack.auth.type) == ("Pet Shop", ("api.pets.example",), "bearer")
    assert [variable.secret for variable in pack.variables] == [True]
    assert {endpoint.endpoint_id: endpoint.source for endpoint in pack.endpoints} == {
        "list-pets": "GET /pets",
        "create-pet": "POST /pets",
        "get-pet": "GET /pets/{petId}",
    }
    one = pack.endpoint("get-pet")
    assert one.url_template == "https://api.pets.example/v1/pets/{{PET_ID}}"
    assert [variable.name for variable in one.variables] == ["PET_ID"]
    assert pack.endpoint("create-pet").body.kind == "json"


def test_a_tag_chooses_and_another_way_to_sign_in_is_kept(here: Path) -> None:
    (here / "pets.json").write_text(json.dumps(DOCUMENT))
    assert run("new", "service", "pets", "--openapi", "pets.json", "--tag", "pets").exit_code == 0
    assert len(load_pack(here / "hub-pets/hub_pets/pack.yaml").endpoints) == 3
    assert run("new", "service", "all", "--openapi", "pets.json").exit_code == 0
    whole = load_pack(here / "hub-all/hub_all/pack.yaml")
    assert whole.auth.type == "bearer"
    assert whole.endpoint("get-status").auth.type == "none"


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ({}, ["--operations", "sellPet"], "no operation sellPet; it has createPet, getPet"),
        ({}, ["--tag", "cars"], "no operation like that"),
        ({"servers": []}, [], "--server https://"),
        ({"servers": [{"url": "http://api.pets.example"}]}, [], "is no https address"),
        ({"openapi": "9"}, [], "OpenAPI"),
    ],
)
def test_a_document_that_lacks_something_says_so(here: Path, change: dict[str, Any], arguments: list[str], words: str) -> None:
    (here / "pets.json").write_text(json.dumps({**DOCUMENT, **change}))
    made = run("new", "service", "pets", "--openapi", "pets.json", *arguments)
    assert made.exit_code == 1
    assert words in made.output
    assert not (here / "hub-pets").exists()


def test_the_server_may_be_named(here: Path) -> None:
    (here / "pets.json").write_text(json.dumps({**DOCUMENT, "servers": []}))
    made = run("new", "service", "pets", "--openapi", "pets.json", "--server", "https://pets.example")
    assert made.exit_code == 0, made.output
    assert load_pack(here / "hub-pets/hub_pets/pack.yaml").hosts == ("pets.example",)


def test_what_is_there_is_not_overwritten(here: Path) -> None:
    assert run("new", "service", "acme").exit_code == 0
    again = run("new", "service", "acme")
    assert again.exit_code == 1
    assert "is not empty" in again.output
    assert run("new", "service", "Not A Name").exit_code == 1
    assert run("new", "service", "acme2", "--tag", "x").exit_code == 2


def test_check_says_what_is_wrong_and_where(here: Path) -> None:
    run("new", "service", "acme")
    file = here / "hub-acme/hub_acme/pack.yaml"
    text = file.read_text()
    file.write_text(text.replace("api.example.com/v1/items", "evil.example/v1/items"))
    checked = run("check", "hub-acme")
    assert checked.exit_code == 1
    assert "endpoint create-item: evil.example is none of the hosts" in checked.output
    assert "hub_acme/pack.yaml" in checked.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no plugin"),
        ("{", "cannot be read"),
        ('[project.entry-points."hub.plugins"]\nstripe = "hub_acme.plugin"', "the name 'stripe' is taken"),
        ('[project.entry-points."hub.plugins"]\nacme = "no_such_module"', "No module named 'no_such_module'"),
    ],
)
def test_check_reads_the_projects_entry_points(here: Path, text: str, words: str) -> None:
    run("new", "service", "acme")
    (here / "hub-acme/pyproject.toml").write_text(text)
    checked = run("check", "hub-acme")
    assert checked.exit_code == 1
    assert words in checked.output
