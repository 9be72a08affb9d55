"""TLS over real sockets on loopback, with an authority made for the test."""

from __future__ import annotations

import dataclasses
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.config import Config
from hub.egress import EgressError, EgressPolicy, fetch, open_session

POLICY = EgressPolicy(loopback=True, resolver=lambda _host, _port: ["127.0.0.1"])
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of n8n.test, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "n8n.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("n8n.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "n8n.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def trusting(certificate: Path) -> EgressPolicy:
    """A policy to which the certificate is an authority of its own."""
    return dataclasses.replace(POLICY, ca_file=certificate)


Talk = Callable[[ssl.SSLSocket], None]


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[Callable[[Talk], int]]:
    """Starts a server that takes one connection and speaks as told; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(talk: Talk) -> int:
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            plain, _peer = listener.accept()
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    talk(connection)
            except OSError:
                plain.close()  # the client went away, which is what some tests are about

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        listeners.append(listener)
        threads.append(thread)
        return int(listener.getsockname()[1])

    yield start
    for thread in threads:
        thread.join(10)
    for listener in listeners:
        listener.close()


def answer_all(connection: ssl.SSLSocket) -> None:
    """Answer each request when the last byte of its body, a brace, is there."""
    while part := connection.recv(65536):
        if part.endswith(b"}"):
            connection.sendall(ANSWER)


def test_a_trusted_server_is_read_over_one_connection(trusting: EgressPolicy, tls_server: Callable[[Talk], int]) -> None:
    url = f"https://n8n.test:{tls_server(answer_all)}/"
    with open_session(trusting) as session:
        assert [fetch(session, "POST", url, json={"a": "b" * 100_000}, timeout=10).status for _time in range(2)] == [200, 200]


def test_an_unknown_authority_is_refused(tls_server: Callable[[Talk], int]) -> None:
    with open_session(POLICY) as session, pytest.raises(EgressError) as failed:
        fetch(session, "GET", f"https://n8n.test:{tls_server(answer_all)}/", timeout=10)
    assert failed.value.code == "tls"
    assert "self-signed" in str(failed.value.details["reason"])


def test_another_name_than_the_certificates_is_refused(trusting: EgressPolicy, tls_server: Callable[[Talk], int]) -> None:
    with open_session(trusting) as session, pytest.raises(EgressError) as failed:
        fetch(session, "GET", f"https://other.test:{tls_server(answer_all)}/", timeout=10)
    assert failed.value.code == "tls"


def test_the_deadline_holds_over_an_answer_that_drips(trusting: EgressPolicy, tls_server: Callable[[Talk], int]) -> None:
    """Each byte comes in good time, so that only the sum is too long."""
    ended = threading.Event()

    def drip(connection: ssl.SSLSocket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        try:
            while not ended.wait(0.02):
                connection.sendall(b"x")
        finally:
            ended.set()

    with open_session(trusting) as session, pytest.raises(EgressError) as failed:
        fetch(session, "GET", f"https://n8n.test:{tls_server(drip)}/", timeout=0.5)
    assert failed.value.code == "timeout"
    assert ended.wait(10)


def test_the_deadline_holds_over_a_handshake_that_never_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, open_session(POLICY) as session:
        with pytest.raises(EgressError) as failed:
            fetch(session, "GET", f"https://n8n.test:{listener.getsockname()[1]}/", timeout=0.3)
        assert failed.value.code == "timeout"


def test_the_operators_authorities_are_part_of_the_policy(certificate: Path, config: Config) -> None:
    assert EgressPolicy.from_config(dataclasses.replace(config, ca_file=certificate)).ca_file == certificate
