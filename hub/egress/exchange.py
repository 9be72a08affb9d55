"""One exchange: a request as it was made, its redirects followed by hand, and the answer with all that is known about it."""

from __future__ import annotations

import dataclasses
import http.client
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import urllib3

from hub.contracts.exchange import Exchange, ExchangeLimits, Hop, TlsFacts, WireRequest
from hub.egress.addresses import EgressPolicy
from hub.egress.answers import Answered, read_answer, read_body
from hub.egress.cancelling import watch
from hub.egress.errors import EgressError
from hub.egress.headers import check_headers, check_method, outgoing_headers
from hub.egress.redirects import REDIRECTS, redirect
from hub.egress.secret_values import SecretFinder, secrets_of
from hub.egress.session import Guard, make_connection
from hub.egress.stopwatch import Stopwatch
from hub.egress.tls import tls_facts
from hub.egress.translation import translate
from hub.egress.urls import Target, check_url, may_reach, request_target

#: Of a request's body, in bytes.
MAX_REQUEST_BODY = 10_000_000


def send_exchange(
    policy: EgressPolicy, request: WireRequest, limits: ExchangeLimits, *, cancelled: threading.Event | None = None
) -> Exchange:
    """Send a request once, follow its redirects, and read the answer until its end or ``limits.max_bytes``.

    Nothing is sent that ``policy`` or the rules of ``hub.egress.headers`` refuse, and no secret goes to a host that it is not
    bound to, or to another origin. ``cancelled`` ends the exchange from another thread once it is set.
    ``Exchange.timing`` tells the steps of the last answer, with the total of all.
    Raises ``EgressError``, which has the redirects that were answered until then.
    """
    return _Sending(policy, request, limits, cancelled).run()


class _Sending:
    """One call of ``send_exchange``."""

    def __init__(
        self, policy: EgressPolicy, request: WireRequest, limits: ExchangeLimits, cancelled: threading.Event | None
    ) -> None:
        self.request = request
        self.limits = limits
        self.guard = Guard(policy, cancelled)
        self.hops: list[Hop] = []
        self.stripped: tuple[str, ...] = ()
        self.tls: TlsFacts | None = None

    def run(self) -> Exchange:
        started = time.monotonic()
        self.guard.expires_at = started + self.limits.seconds
        try:
            target = self._check()
            with watch(self.guard.cancelled, self.guard.abort):
                exchange = self._follow(target)
        except EgressError as failure:
            # A connection that was ended from here fails in many ways.
            error = EgressError("cancelled") if self.guard.is_cancelled else failure
            error.hops = tuple(self.hops)
            error.phase = self.guard.stopwatch.step
            error.timing = dataclasses.replace(self.guard.stopwatch.read(), total_ms=(time.monotonic() - started) * 1000)
            raise error from failure.__cause__
        finally:
            self.guard.release()
        return dataclasses.replace(
            exchange, timing=dataclasses.replace(exchange.timing, total_ms=(time.monotonic() - started) * 1000)
        )

    def _check(self) -> Target:
        """The target, after all that can be judged before anything is sent."""
        request = self.request
        check_method(request.method)
        target = check_url(request.url)
        check_headers(request, target, any_host=self.guard.policy.lists(target.host, target.port))
        if len(request.body or b"") > MAX_REQUEST_BODY:
            raise EgressError("request-too-large", limit=MAX_REQUEST_BODY)
        for _secret, hosts in request.secret_hosts:
            if not may_reach(hosts, target):
                raise EgressError("secret-host", host=target.host, hosts=", ".join(hosts))
        return target

    def _follow(self, target: Target) -> Exchange:
        secrets = SecretFinder(secrets_of(self.request))
        seen = set()
        while True:
            seen.add(_place(self.request))
            with self._open(target) as answer:
                location = answer.header("location") if self.limits.follow_redirects and answer.status in REDIRECTS else None
                if location is None:
                    return self._finish(answer, target)
                self._note_hop(answer)
            self.guard.stopwatch = Stopwatch()
            if len(self.hops) > self.limits.max_redirects:
                raise EgressError("too-many-redirects", host=target.host, limit=self.limits.max_redirects)
            following = redirect(self.request, target, answer.status, location, secrets)
            if _place(following.request) in seen:
                raise EgressError("redirect-loop", host=target.host)
            self.request, target, self.stripped = following.request, following.target, following.stripped

    @contextmanager
    def _open(self, target: Target) -> Iterator[Answered]:
        """Send the present request; gives its answer with the body unread."""
        guard = self.guard
        guard.stopwatch, guard.address, self.tls = Stopwatch(), "", None
        connection = make_connection(guard, target, verify=self.limits.verify_tls)
        answer = None
        try:
            connection.connect()
            if isinstance(connection.sock, ssl.SSLSocket):
                self.tls = tls_facts(connection.sock, connection.is_verified)
            guard.stopwatch.begin("first_byte")
            self._write(connection, target)
            answer = read_answer(connection, target)
            guard.stopwatch.stop()
            yield answer
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            raise translate(error, target, self.limits.seconds) from error
        finally:
            if answer is not None:
                answer.close()
            connection.close()

    def _write(self, connection: urllib3.connection.HTTPConnection, target: Target) -> None:
        connection.putrequest(self.request.method, request_target(self.request.url), skip_host=True, skip_accept_encoding=True)
        for name, value in outgoing_headers(self.request):
            connection.putheader(name, value.encode())  # type: ignore[arg-type]
        # A server may refuse a body without reading it, and its answer may be there.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(self.request.body)

    def _note_hop(self, answer: Answered) -> None:
        self.hops.append(
            Hop(
                method=self.request.method,
                url=self.request.url,
                status=answer.status,
                reason=answer.reason,
                address=self.guard.address,
                timing=self.guard.stopwatch.read(),
                stripped=self.stripped,
            )
        )

    def _finish(self, answer: Answered, target: Target) -> Exchange:
        self.guard.stopwatch.begin("download")
        body = read_body(answer, target, self.limits.max_bytes, self.guard.remaining)
        self.guard.stopwatch.stop()
        self._note_hop(answer)
        return Exchange(
            status=answer.status,
            reason=answer.reason,
            http_version=answer.version,
            headers=answer.headers,
            body=body.content,
            wire_size=body.wire_size,
            truncated=body.truncated,
            timing=self.hops[-1].timing,
            hops=tuple(self.hops),
            tls=self.tls,
        )


def _place(request: WireRequest) -> tuple[str, str]:
    """What is asked of whom, to see a circle."""
    return request.method, request.url.partition("#")[0]
