"""Uploaded files and documents behind addresses: archives that blow up, encodings, redirects."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile

import pytest
from pytest_httpserver import HTTPServer

from hub.egress import EgressError, EgressPolicy
from hub.http_builder.importing import openapi
from hub.http_builder.importing.fetching import import_address
from hub.http_builder.importing.results import ImportRefused
from hub.http_builder.importing.uploads import MAX_FILES, MAX_UNPACKED_BYTES, import_file
from tests.hub.http_builder.importing.test_bruno import FILES
from tests.hub.http_builder.importing.test_openapi import make_document


def pack(files: dict[str, str | bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return content.getvalue()


def refusal_of(content: bytes) -> str:
    with pytest.raises(ImportRefused) as refused:
        import_file(content)
    return refused.value.code


def test_an_archive_with_a_bruno_collection() -> None:
    result = import_file(pack({**FILES, "shop/node_modules/x.png": b"\x89PNG", "shop/readme.md": "# Shop"}))
    assert [draft.name for draft in result.drafts] == ["List"]


def test_an_archive_that_blows_up_is_refused_while_it_is_unpacked() -> None:
    bomb = pack({"bruno.json": "{}", "a.bru": b"0" * (MAX_UNPACKED_BYTES * 5)})
    assert len(bomb) < 200_000
    tracemalloc.start()
    try:
        assert refusal_of(bomb) == "archive-too-large"
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MAX_UNPACKED_BYTES * 2


def test_archives_that_lie_or_are_damaged() -> None:
    whole = pack(FILES)
    assert refusal_of(whole[:-30]) == "bad-archive"
    assert refusal_of(whole.replace(b"meta", b"mexx", 1)[:200]) == "bad-archive"
    assert refusal_of(pack({f"{n}.bru": "" for n in range(MAX_FILES + 1)})) == "too-many-files"
    assert refusal_of(pack({"a.txt": "hello"})) == "unknown-archive"


def test_files_in_other_encodings() -> None:
    text = json.dumps(make_document({"summary": "Grüße"}), ensure_ascii=False)
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert import_file(text.encode(encoding)).drafts[0].name == "Grüße"
    assert refusal_of(b"\xff\xfe\x00") == "not-text"
    assert refusal_of(b"\x80\x81") == "not-text"
    assert refusal_of(b"x" * 20_000_001) == "too-large"


POLICY = EgressPolicy(loopback=True)


def test_a_document_behind_an_address(httpserver: HTTPServer) -> None:
    document = json.dumps(make_document(servers=[{"url": "/v1"}]))
    httpserver.expect_request("/docs/openapi.json").respond_with_data(document, content_type="application/json")
    httpserver.expect_request("/moved").respond_with_data(status=302, headers={"Location": "/docs/openapi.json"})
    draft = import_address(httpserver.url_for("/moved"), POLICY).drafts[0]
    assert draft.definition.url == httpserver.url_for("/v1/pets")
    assert openapi.read(document).drafts[0].definition.url == "{{BASE_URL}}/v1/pets"


def test_addresses_that_give_no_document(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/gone").respond_with_data(status=404)
    httpserver.expect_request("/loop").respond_with_data(status=301, headers={"Location": "/loop"})
    httpserver.expect_request("/inside").respond_with_data(status=302, headers={"Location": "http://169.254.169.254/latest"})
    for path, code in (("/gone", "answer"), ("/loop", "redirects")):
        with pytest.raises(ImportRefused) as refused:
            import_address(httpserver.url_for(path), POLICY)
        assert refused.value.code == code
    with pytest.raises(EgressError) as failed:
        import_address(httpserver.url_for("/inside"), POLICY)
    assert failed.value.code == "address-never"
