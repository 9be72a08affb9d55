"""Documents behind an address: fetched through the guarded way out, once, without following anything in them."""

from __future__ import annotations

import time
from urllib.parse import urljoin

from hub.egress import EgressError, EgressPolicy, fetch, open_session
from hub.http_builder.importing.results import ImportRefused, ImportResult
from hub.http_builder.importing.uploads import MAX_FILE_BYTES, import_file

#: For the document and all that leads to it: somebody waits for the page.
_SECONDS = 10.0
_MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_ACCEPT = "application/json, application/yaml, text/yaml, text/plain, */*;q=0.5"


def import_address(address: str, policy: EgressPolicy, *, kind: str | None = None) -> ImportResult:
    """The requests of the document at an http or https address; its servers may be relative to it.

    Raises ``ImportRefused``, and ``EgressError`` where the address is refused or gives no complete answer.
    """
    found, content = fetch_document(address, policy)
    return import_file(content, kind=kind, address=found)


def fetch_document(address: str, policy: EgressPolicy) -> tuple[str, bytes]:
    """The document and where it was found; every redirect is judged like the address itself. Raises like ``import_address``."""
    address = address.strip()
    ends = time.monotonic() + _SECONDS
    with open_session(policy) as session:
        for _hop in range(_MAX_REDIRECTS + 1):
            seconds = max(ends - time.monotonic(), 0.1)
            answer = fetch(session, "GET", address, headers={"Accept": _ACCEPT}, timeout=seconds, max_bytes=MAX_FILE_BYTES)
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not location:
                break
            try:
                address = urljoin(address, location)
            except ValueError as error:
                raise EgressError("bad-url", reason="host") from error
        else:
            raise ImportRefused("redirects", limit=_MAX_REDIRECTS)
    if not 200 <= answer.status < 300:
        raise ImportRefused("answer", status=answer.status)
    return address, answer.body
