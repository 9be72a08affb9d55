"""TLS of the way out: whom we trust, and what was agreed."""

from __future__ import annotations

import functools
import ssl
from pathlib import Path

import certifi
from cryptography import x509
from urllib3.util.ssl_ import create_urllib3_context

from hub.contracts.exchange import TlsFacts


@functools.cache
def tls_context(ca_file: Path | None, verify: bool, socket_class: type[ssl.SSLSocket]) -> ssl.SSLContext:
    """One for the process: reading the authorities' certificates takes longer than a request."""
    if not verify:
        context = create_urllib3_context(cert_reqs=ssl.CERT_NONE)
    else:
        context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
        context.load_verify_locations(certifi.where())
        if ca_file is not None:
            context.load_verify_locations(ca_file)
    context.sslsocket_class = socket_class
    return context


def tls_facts(connection: ssl.SSLSocket, verified: bool) -> TlsFacts:
    """What was agreed with the server at the other end of a connection."""
    cipher = connection.cipher()
    subject, issuer, valid_until = _read_certificate(connection.getpeercert(binary_form=True))
    return TlsFacts(
        version=connection.version() or "",
        cipher=cipher[0] if cipher else "",
        subject=subject,
        issuer=issuer,
        valid_until=valid_until,
        verified=verified,
    )


def _read_certificate(der: bytes | None) -> tuple[str, str, str | None]:
    """Subject, issuer and the end of the validity; a certificate that cannot be read (nobody verified it) has none of them."""
    try:
        certificate = x509.load_der_x509_certificate(der or b"")
        subject = certificate.subject.rfc4514_string() or _alternative_names(certificate)
        return subject, certificate.issuer.rfc4514_string(), certificate.not_valid_after_utc.isoformat()
    except ValueError:
        return "", "", None


def _alternative_names(certificate: x509.Certificate) -> str:
    """The names of a certificate that has no subject, as those of Let's Encrypt."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    return ", ".join(names.get_values_for_type(x509.DNSName))
