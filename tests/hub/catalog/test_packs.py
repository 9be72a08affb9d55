"""What a pack may say, and what is refused with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.catalog.packs import PackError, load_pack
from hub.contracts.catalog import PackText

KEY = {"name": "KEY", "description": "Key", "secret": True}
OWN = {"name": "OWN", "description": "Own"}


def data(**changes: Any) -> dict[str, Any]:
    endpoint = {"endpoint_id": "one", "endpoint_name": "One", "method": "GET", "url_template": "https://api.example.com/one"}
    endpoint |= changes.pop("endpoint", {})
    return {"service_id": "acme", "service_name": "Acme", "category": "tests", "endpoints": [endpoint], **changes}


def load(folder: Path, content: Any) -> Any:
    file = folder / "pack.yaml"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return load_pack(file)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"category": None}, "category: "),
        ({"surprise": 1}, "surprise: "),
        ({"endpoints": []}, "endpoints: "),
        ({"service_color": "red"}, "service_color: "),
        ({"endpoint": {"endpoint_id": "One"}}, "endpoints.0.endpoint_id: "),
        ({"endpoint": {"url_template": "http://api.example.com"}}, "endpoints.0.url_template: "),
        ({"endpoint": {"method": "FETCH"}}, "endpoints.0.method: "),
        ({"endpoint": {"body": {"kind": "soup"}}}, "endpoints.0.body: "),
        ({"endpoint": {"url_template": "https://x.example/{{KEY}}"}}, "endpoint one: placeholders and variables differ: KEY"),
        ({"endpoint": {"variables": [OWN]}}, "endpoint one: placeholders and variables differ: OWN"),
        ({"variables": [KEY]}, "placeholders and variables of the service differ: KEY"),
        ({"headers": {"X-Key": "{{KEY}}"}}, "placeholders and variables of the service differ: KEY"),
        ({"headers": {"X-Key": "{{other.KEY}}"}}, "placeholders and variables of the service differ: other.KEY"),
        ({"auth": {"type": "bearer", "token": "abc"}}, "auth.token: must be the {{NAME}} of a secret variable"),
        (
            {"auth": {"type": "bearer", "token": "{{KEY}}"}, "variables": [{**KEY, "secret": False}]},
            "auth.token: must be the {{NAME}} of a secret variable",
        ),
        ({"hosts": ["other.example.com"]}, "endpoint one: api.example.com is none of the hosts"),
        ({"hosts": ["*.com"]}, "not a host, host:port or *.suffix: *.com"),
        ({"hosts": ["https://api.example.com"]}, "not a host, host:port or *.suffix"),
        ({"hosts": []}, "api.example.com is none of the hosts"),
        ({"endpoint": {"url_template": "https://{{OWN}}/one", "variables": [OWN]}}, "{{own}} is none of the hosts"),
        ({"endpoint": {"url_template": "https://api.example.com@evil.example/one"}}, "none of the hosts"),
        ({"test_endpoint": "two"}, "test_endpoint: there is no endpoint two"),
        (
            {"test_endpoint": "one", "endpoint": {"params": {"q": "{{OWN}}"}, "variables": [OWN]}},
            "test_endpoint: may need variables of the service only",
        ),
        ({"endpoint": {"params": {"q": "{{OWN}}"}, "variables": [{**OWN, "pattern": "("}]}}, "pattern is no regular expression"),
        ({"endpoint": {"params": {"q": "{{OWN}}"}, "variables": [{**OWN, "pattern": "a", "example": "b"}]}}, "does not match"),
        ({"headers": {"X-Key": "{{KEY}}"}, "variables": [{**KEY, "default": "s3cret"}]}, "a secret has no default"),
    ],
)
def test_a_wrong_pack_is_refused_with_its_place(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(PackError) as caught:
        load(tmp_path, data(**changes))
    assert str(tmp_path / "pack.yaml") in str(caught.value)
    assert reason in str(caught.value)


def test_ids_are_unique(tmp_path: Path) -> None:
    content = data()
    content["endpoints"] *= 2
    with pytest.raises(PackError, match="endpoint ids are used twice: one"):
        load(tmp_path, content)


@pytest.mark.parametrize("text", ["{", "- 1", "", "!!python/object/apply:os.system [id]", "[" * 100_000])
def test_a_file_that_is_no_pack_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PackError):
        load(tmp_path, text)
    with pytest.raises(PackError):
        load_pack(tmp_path / "missing.yaml")


def test_english_alone_is_enough_and_hosts_are_found(tmp_path: Path) -> None:
    pack = load(tmp_path, data())
    assert pack.hosts == ("api.example.com",)
    assert pack.service_name.in_language("ar") == "Acme"
    assert pack.initials == "Ac"
    assert load(tmp_path, data(service_name={"en": "Acme", "ar": "أكمي"})).service_name.in_language("ar") == "أكمي"


def test_signs_at_the_end_of_latin_words_stay_there_in_arabic() -> None:
    text = PackText(en="It begins with sk_test_.", ar="يبدأ بـ sk_test_ أو xoxb- في has_more.")
    assert text.in_language("ar") == "يبدأ بـ \u2066sk_test_\u2069 أو \u2066xoxb-\u2069 في has_more."
    assert text.in_language("en") == "It begins with sk_test_."


def test_dates_stay_as_they_are_written(tmp_path: Path) -> None:
    content = json.dumps(data(headers={"X-Version": "DATE"})).replace('"DATE"', "2022-11-28")
    pack = load(tmp_path, content)
    assert pack.headers[0].value == "2022-11-28"


@pytest.mark.parametrize(("color", "ink"), [("#ffffff", "#111111"), ("#000000", "#ffffff"), ("#ffd600", "#111111")])
def test_letters_are_read_on_every_color(tmp_path: Path, color: str, ink: str) -> None:
    assert load(tmp_path, data(service_color=color)).ink == ink


def test_the_first_format_is_still_read(tmp_path: Path) -> None:
    variables = [KEY, OWN]
    endpoint = {
        "method": "POST",
        "headers": {"Authorization": "Bearer {{KEY}}", "Content-Type": "application/x-www-form-urlencoded"},
        "body_template": {"name": "{{OWN}}"},
        "variables": variables,
    }
    (form,) = load(tmp_path, data(endpoint=endpoint)).endpoints
    assert (form.body.kind, form.body.fields[0].value) == ("form", "{{OWN}}")
    endpoint["headers"] = {"Authorization": "Bearer {{KEY}}"}
    (json_body,) = load(tmp_path, data(endpoint=endpoint)).endpoints
    assert json.loads(json_body.body.text) == {"name": "{{OWN}}"}
