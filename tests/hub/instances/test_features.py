from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import yaml

from hub.columns import utc_now
from hub.instances.errors import NotN8n
from hub.instances.features import Features, read_features
from tests.hub.instances.conftest import make_spec


def document(**options: bool) -> bytes:
    return yaml.safe_dump(make_spec(**options)).encode()


def test_features_come_from_the_document() -> None:
    features = read_features(document())
    assert (features.publish_if_active, features.retry, features.version_path) == (True, True, "versions")
    assert features.status_filters == {"error", "success", "waiting"}
    assert features.workflow_keys == {"name", "nodes", "connections", "settings"}
    assert features.settings_keys == {"timezone"}
    assert features.node_keys == {"id", "name"}
    assert features.version == "2.39+"
    assert not features.is_stale()


@pytest.mark.parametrize(
    ("options", "version", "path"),
    [
        ({"versions": False}, "2.36+", "plain"),
        ({"versions": False, "publish_if_active": False}, "1.65+", "plain"),
        ({"versions": False, "publish_if_active": False, "retry": False}, None, "plain"),
    ],
)
def test_older_versions_are_told_by_what_they_lack(options: dict[str, bool], version: str | None, path: str) -> None:
    features = read_features(document(**options))
    assert (features.version, features.version_path) == (version, path)


def test_a_document_that_says_little_leaves_the_oldest_keys() -> None:
    features = read_features(b"openapi: 3.0.0\npaths: {/workflows: {get: {}}}\n")
    assert "saveManualExecutions" in features.settings_keys
    assert features.accepted_workflow({"name": "a", "nodes": [{"x": 1}], "settings": None, "id": "1"}) == {
        "name": "a",
        "nodes": [{"x": 1}],
        "settings": {},
    }


def test_an_unchanged_document_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known = replace(read_features(document()), found_at=utc_now() - dt.timedelta(days=2))
    assert known.is_stale()
    monkeypatch.setattr("hub.instances.features.read_yaml", lambda *_args, **_options: pytest.fail("parsed"))
    assert not read_features(document(), known=known).is_stale()


@pytest.mark.parametrize("body", [b"<html>", b"a: [", b"[]", b"paths: 5", b"\xff\xfe", b"!!python/object:os.system {}"])
def test_anything_else_is_not_n8n(body: bytes) -> None:
    with pytest.raises(NotN8n):
        read_features(body)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_brackets_without_end_are_refused_and_end_no_process(opening: str) -> None:
    with pytest.raises(NotN8n):
        read_features(b"paths: \n  " + opening.encode() * 100_000)


def test_references_in_a_circle_end() -> None:
    spec = make_spec()
    spec["components"]["schemas"]["node"] = {"$ref": "#/components/schemas/node"}
    assert read_features(yaml.safe_dump(spec).encode()).node_keys == frozenset()


def test_features_survive_being_stored() -> None:
    features = read_features(document())
    assert Features.from_json(features.to_json()) == features
    assert Features.from_json({"retry": True}) is None
    assert Features.from_json(None) is None
