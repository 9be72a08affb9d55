"""The mailbox page, and where there is none."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub import create_app
from hub.config import ConfigError, load_config
from hub.extensions import db
from hub.mail.messages import as_html
from hub.mail.services import can_send_mail, list_mailbox, send_mail
from hub.mail_settings import MailEncryption
from tests.conftest import TEST_KEY

PRODUCTION = {"HUB_ENV": "production", "ENCRYPTION_KEY": TEST_KEY, "DATABASE_URL": "sqlite:///x.db"}
MAIL = {
    "HUB_SMTP_HOST": "mail.example.com",
    "HUB_SMTP_FROM": "Hub <hub@example.com>",
    "HUB_PUBLIC_URL": "https://hub.example.com",
}


def test_it_shows_what_would_have_been_sent(client: FlaskClient, session: object) -> None:
    assert "No mail yet" in client.get("/system/mailbox").text
    send_mail("a@example.com", "Hello & <b>", "First <i>\n\nhttp://127.0.0.1:8000/x?token=abc", purpose="test")
    db.session.commit()
    page = client.get("/system/mailbox").text
    assert "Hello &amp; &lt;b&gt;" in page
    assert 'href="http://127.0.0.1:8000/x?token=abc"' in page
    assert "<i>" not in page.split("First")[1][:20]


def test_only_for_who_sits_at_the_machine(client: FlaskClient, session: object) -> None:
    assert client.get("/system/mailbox", environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 404


@pytest.mark.parametrize("environ", [PRODUCTION, {**PRODUCTION, **MAIL}, {**MAIL, "HUB_ENV": "development"}])
def test_there_is_none_where_mail_is_meant(environ: dict[str, str], tmp_path: object) -> None:
    config = load_config({**environ, "HUB_INSTANCE_DIR": str(tmp_path)})
    assert not config.has_mailbox
    assert "mail.mailbox" not in create_app(config).view_functions


def test_production_without_a_server_drops_mail_and_says_so(
    app: Flask, session: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(app.extensions, "hub_config", dataclasses.replace(app.extensions["hub_config"], env="production"))
    assert not can_send_mail()
    send_mail("a@example.com", "Hello", "token=abc", purpose="test")
    assert "HUB_SMTP_HOST is not set" in caplog.text
    assert "abc" not in caplog.text
    assert list_mailbox() == []


@pytest.mark.parametrize(
    ("missing", "named"),
    [("HUB_SMTP_FROM", "HUB_SMTP_FROM"), ("HUB_PUBLIC_URL", "HUB_PUBLIC_URL"), ("HUB_SMTP_PASSWORD", "HUB_SMTP_USER")],
)
def test_what_belongs_to_a_server_is_asked_for(missing: str, named: str) -> None:
    environ = {**PRODUCTION, **MAIL, "HUB_SMTP_USER": "hub", "HUB_SMTP_PASSWORD": "x"}
    load_config(environ)
    del environ[missing]
    with pytest.raises(ConfigError, match=named):
        load_config(environ)


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_usual_port_follows_the_protection(tls: str, port: int) -> None:
    mail = load_config({**PRODUCTION, **MAIL, "HUB_SMTP_TLS": tls}).mail
    assert (mail.port, mail.encryption) == (port, MailEncryption(tls))


@pytest.mark.parametrize("sender", ["hub", "Hub <hub>", "Hub\r\nBcc: x@example.com <hub@example.com>"])
def test_a_sender_is_an_address(sender: str) -> None:
    with pytest.raises(ConfigError, match="HUB_SMTP_FROM"):
        load_config({**PRODUCTION, **MAIL, "HUB_SMTP_FROM": sender})


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"HUB_PUBLIC_URL": "https://hub.example.com/"}, "https://hub.example.com"),
        ({"HUB_HOST": "0.0.0.0", "HUB_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"HUB_HOST": "fe80::1"}, "http://[fe80::1]:8000"),
    ],
)
def test_where_links_lead(settings: dict[str, str], url: str) -> None:
    assert load_config({**PRODUCTION, **settings}).base_url == url


def test_the_html_form_escapes_and_links() -> None:
    page = as_html("A & B", "<b>\nx\n\nhttps://hub.example.com/?a=1&b=2", "ar")
    assert "&lt;b&gt;<br>x" in page
    assert 'href="https://hub.example.com/?a=1&amp;b=2" dir="ltr"' in page
    assert '<html lang="ar" dir="rtl">' in page
