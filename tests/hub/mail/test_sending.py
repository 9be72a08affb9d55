"""Mail to a real SMTP server on loopback: with STARTTLS and sign-in, with TLS, and with everything that goes wrong."""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
import sqlalchemy as sa
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from flask import Flask

from hub.demo.n8n_server import free_port
from hub.errors import HubError
from hub.extensions import db
from hub.jobs.models import Job
from hub.jobs.services import JobContext, RetryLater
from hub.mail import jobs
from hub.mail.models import Mail, MailState
from hub.mail.services import drop_old_mails, send_mail
from hub.mail_settings import MailEncryption, MailSettings

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
USER, PASSWORD = "hub", "a password of the mail server"


class Post:
    """Takes mail from whoever signs in; ``answer`` is what it says to a recipient."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], EmailMessage]] = []
        self.answer = "250 OK"

    async def handle_RCPT(self, _server: object, _session: object, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return self.answer

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:
        message = message_from_bytes(envelope.content or b"", policy=default)
        assert isinstance(message, EmailMessage)
        self.received.append((envelope.rcpt_tos, message))
        return "250 OK"


def authenticate(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return authority, file


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def serve(
    app: Flask, session: object, post: Post, authority: tuple[trustme.CA, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Starts the server and points the hub at it."""
    running: list[Controller] = []

    def start(encryption: MailEncryption, *, tls: bool = True, trusted: bool = True, **settings: object) -> None:
        issuer, file = authority
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        issuer.issue_cert("127.0.0.1").configure_cert(context)
        options: dict[str, object] = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": tls}
        if tls and encryption is MailEncryption.TLS:
            options |= {"ssl_context": context, "auth_require_tls": False}
        elif tls:
            options |= {"tls_context": context, "require_starttls": True}
        port = free_port()
        server = Controller(post, hostname="127.0.0.1", port=port, **options)
        server.start()
        running.append(server)

        mail = MailSettings("127.0.0.1", port, USER, PASSWORD, encryption, "AI-HTTP Hub <hub@example.com>")
        mail = dataclasses.replace(mail, **settings)
        config = dataclasses.replace(app.extensions["hub_config"], mail=mail, ca_file=file if trusted else None)
        monkeypatch.setitem(app.extensions, "hub_config", config)

    yield start
    for server in running:
        server.stop(no_assert=True)


def send(attempt: int = 1, **mail: str) -> Mail:
    """Queue one and do the job's run."""
    given = {
        "to": "maya@example.com",
        "subject": "مرحبا",
        "text": "سطر\n\nhttps://hub.example.com/x?token=abc",
        "purpose": "test",
    }
    send_mail(**{**given, **mail}, language="ar")
    db.session.commit()
    row = db.session.scalars(sa.select(Mail).order_by(Mail.created_at.desc())).first()
    assert row
    assert row.state is MailState.QUEUED
    jobs.send_queued_mail(JobContext("j", attempt), row.id)
    return row


@pytest.mark.parametrize("encryption", [MailEncryption.STARTTLS, MailEncryption.TLS])
def test_it_arrives_over_tls_after_signing_in(serve: Callable[..., None], post: Post, encryption: MailEncryption) -> None:
    serve(encryption)
    row = send()
    ((recipients, message),) = post.received
    assert recipients == ["maya@example.com"]
    assert (message["To"], message["From"]) == ("maya@example.com", "AI-HTTP Hub <hub@example.com>")
    assert (message["Subject"], message["Content-Language"]) == ("مرحبا", "ar")
    assert message["Message-ID"] == f"<{row.id}@example.com>"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text
    assert "token=abc" in text.get_content()
    assert html
    assert '<html lang="ar" dir="rtl">' in html.get_content()
    assert (row.state, row.text, row.error) == (MailState.SENT, None, None)
    assert row.sent_at


def test_without_protection_where_it_was_chosen(serve: Callable[..., None], post: Post) -> None:
    serve(MailEncryption.NONE, tls=False)
    send()
    assert len(post.received) == 1


def test_it_is_sent_once(serve: Callable[..., None], post: Post) -> None:
    serve(MailEncryption.STARTTLS)
    row = send()
    jobs.send_queued_mail(JobContext("j", 2), row.id)
    assert len(post.received) == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"password": "wrong"}, "refused HUB_SMTP_USER"),
        ({"port": 1}, "could not be spoken to"),
        ({"host": "127.0.0.2"}, "not trusted|could not be spoken to"),
    ],
)
def test_what_may_pass_is_tried_again(serve: Callable[..., None], post: Post, settings: dict[str, object], words: str) -> None:
    serve(MailEncryption.STARTTLS, **settings)
    with pytest.raises(RetryLater, match=words) as caught:
        send(attempt=2)
    assert caught.value.seconds == jobs.DELAYS[1]
    assert post.received == []
    assert db.session.scalars(sa.select(Mail.state)).one() is MailState.QUEUED


def test_nothing_is_said_to_a_server_that_is_not_trusted(serve: Callable[..., None], post: Post) -> None:
    serve(MailEncryption.STARTTLS, trusted=False)
    with pytest.raises(RetryLater, match="certificate is not trusted"):
        send()
    assert post.received == []


def test_a_server_without_tls_gets_neither_password_nor_mail(serve: Callable[..., None], post: Post) -> None:
    serve(MailEncryption.STARTTLS, tls=False)
    with pytest.raises(RetryLater, match="lacks something"):
        send()
    assert post.received == []


@pytest.mark.parametrize(("answer", "again"), [("450 later", True), ("550 nobody here", False)])
def test_what_the_server_says_of_a_recipient(serve: Callable[..., None], post: Post, answer: str, again: bool) -> None:
    serve(MailEncryption.STARTTLS)
    post.answer = answer
    with pytest.raises(RetryLater if again else HubError, match=answer[:3]):
        send()
    row = db.session.scalars(sa.select(Mail)).one()
    assert row.state is (MailState.QUEUED if again else MailState.FAILED)
    assert (row.text is None) is not again


def test_it_is_given_up_in_the_end(serve: Callable[..., None], post: Post) -> None:
    serve(MailEncryption.STARTTLS, password="wrong")
    with pytest.raises(HubError, match="refused"):
        send(attempt=len(jobs.DELAYS) + 1)
    row = db.session.scalars(sa.select(Mail)).one()
    assert (row.state, row.text) == (MailState.FAILED, None)


@pytest.mark.parametrize("field", ["to", "subject"])
def test_no_header_is_smuggled_in(serve: Callable[..., None], post: Post, field: str) -> None:
    serve(MailEncryption.STARTTLS)
    with pytest.raises(HubError):
        send(**{field: "maya@example.com\r\nBcc: eve@example.com"})
    assert post.received == []


def test_the_text_lies_encrypted_and_goes_with_its_change(serve: Callable[..., None]) -> None:
    serve(MailEncryption.STARTTLS)
    send_mail("maya@example.com", "Hello", "token=abc", purpose="test")
    db.session.flush()
    assert "abc" not in (db.session.scalars(sa.select(Mail.text)).one() or "")
    assert db.session.scalars(sa.select(Job.name)).all() == ["mail.send"]
    db.session.rollback()
    assert db.session.scalars(sa.select(Mail)).all() == []
    assert db.session.scalars(sa.select(Job)).all() == []


def test_old_ones_are_forgotten(serve: Callable[..., None]) -> None:
    from hub.columns import utc_now
    from hub.mail.services import KEEP

    serve(MailEncryption.STARTTLS)
    send_mail("maya@example.com", "Hello", "x", purpose="test")
    db.session.flush()
    drop_old_mails()
    assert len(db.session.scalars(sa.select(Mail)).all()) == 1
    db.session.execute(sa.update(Mail).values(created_at=utc_now() - KEEP))
    drop_old_mails()
    assert db.session.scalars(sa.select(Mail)).all() == []
