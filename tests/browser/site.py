"""The hub with the sample instance and one signed-in person, and a list of its pages found by following its own links."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, sync_playwright
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from hub import create_app
from hub.accounts.mailings import mail_confirmation
from hub.accounts.models import Registration, User
from hub.columns import utc_now
from hub.config import load_config
from hub.crypto import digest_token
from hub.demo.n8n_server import free_port
from hub.extensions import db
from hub.http_builder.models import RequestRun, RequestRunBody, RunState
from hub.mail.models import Mail
from tests.browser.belongings import add_belongings
from tests.live_hub import LiveHub
from tests.plain_browser import Form, PlainBrowser

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EMAIL, PASSWORD = "maya@example.com", "correct horse battery staple"
#: How many pages of one kind are opened: a list and its filtered form, a failed execution and a good one.
EXAMPLES = 2
#: Where following links begins: the first page, and what only operators and developers see.
TOKEN = "t" * 43
FIRST = ("/", "/account/confirm", "/plugins", "/styleguide", "/system/mailbox")
PUBLIC = (
    *("/login", "/register", f"/register/confirm?token={TOKEN}", "/password/forgot", f"/password/reset?token={TOKEN}"),
    "/there-is-no-such-page",
)


@dataclass(frozen=True)
class Site:
    """A running hub, the cookie of a signed-in person, and its pages: kind (endpoint) -> paths."""

    hub: LiveHub
    cookies: dict[str, str]
    pages: dict[str, list[str]]
    endpoints: set[str]
    """Every endpoint that answers GET."""

    def paths(self, *, only_first: bool = False) -> Iterator[tuple[str, str]]:
        """(name, path) of every page, or of one of each kind; the name is fit for a file."""
        for endpoint, paths in sorted(self.pages.items()):
            for number, path in enumerate(paths[:1] if only_first and endpoint != "public" else paths):
                yield endpoint.replace(".", "-") + (f"-{number + 1}" if number else ""), path


def build_site(folder: Path) -> Site:
    """Start a hub, register, diagnose a failure of the sample, and find all pages."""
    hub = LiveHub(folder)
    hub.start()
    browser = PlainBrowser(hub.url)
    page = browser.get("/register")
    page = browser.submit(page.form("/register"), email=EMAIL, password=PASSWORD, name="Maya Haddad")
    assert page.status == 200, f"registering failed: {page.text}"
    confirm_address(browser)
    make_operator(hub)
    failed = browser.get("/executions?status=FAILED")
    execution = browser.get(next(address for address, _ in failed.links if re.search(r"/executions/[^/?]+$", address)))
    browser.submit(execution.form("/analyses"))
    # Nothing listens there: the pages of an instance that can be changed, with an error to show.
    page = browser.get("/instances/new")
    browser.submit(
        page.form("/instances"), name="Closed shop", url=f"http://127.0.0.1:{free_port()}", api_key="n8n_api_of_no_n8n"
    )
    save_requests(browser)
    add_webhook(browser)
    app = create_app(load_config(hub.environment))
    with app.app_context():
        add_answers()
        further = add_belongings()
        add_links()
        db.session.remove()
        db.engine.dispose()
    routes = app.url_map.bind("127.0.0.1")
    endpoints = {
        rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.endpoint != "static"
    }

    pages: dict[str, list[str]] = {"public": list(PUBLIC)}
    waiting = [*FIRST, *further]
    seen = set(waiting)
    while waiting:
        path = waiting.pop(0)
        try:
            endpoint = routes.match(path.partition("?")[0])[0]
        except (HTTPException, RequestRedirect):
            endpoint = f"unknown address {path}"
        if len(pages.get(endpoint, ())) >= EXAMPLES:
            continue
        page = browser.get(path)
        if "<html" not in page.html:
            continue
        pages.setdefault(endpoint, []).append(path)
        for address, _ in page.links:
            parts = urlsplit(address)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            if address.startswith(hub.url) and target not in seen:
                seen.add(target)
                waiting.append(target)
    return Site(hub, browser.cookies(), pages, endpoints)


def add_webhook(browser: PlainBrowser) -> None:
    """A webhook whose test fails: nothing listens there."""
    page = browser.get("/webhooks/new")
    browser.submit(page.form("/webhooks"), name="On-call chat", url=f"http://127.0.0.1:{free_port()}/hook")
    shown = browser.get(browser.get("/webhooks").link("On-call chat"))
    browser.submit(shown.form(f"{shown.path}/test"))


def save_requests(browser: PlainBrowser) -> None:
    """Two saved requests in folders, one of them sent; its address is refused, so that nothing leaves the machine."""
    for name, url in (("Orders", "https://127.0.0.1/orders?status=open&shop={{SHOP}}"), ("مخزون", "https://127.0.0.1/stock")):
        page = browser.get("/requests/new")
        browser.submit(page.form("/requests"), name=name, url=url, folder="Shop/Orders", tags="daily")
    saved = browser.get(browser.get("/requests").link("مخزون"))
    form = saved.form(saved.path)
    browser.submit(Form(form.method, f"{form.action}/runs", form.fields))


def add_answers() -> None:
    """Two answers to the request that was sent: a good one, and one with everything that an answer can have."""
    sent = db.session.scalars(sa.select(RequestRun)).first()
    assert sent is not None
    timing = {"dns_ms": 3.1, "connect_ms": 21.0, "tls_ms": 34.2, "first_byte_ms": 118.4, "download_ms": 6.0, "total_ms": 402.5}
    hop = {"method": "GET", "address": "192.0.2.7", "timing": timing, "stripped": []}
    check = {"subject": "status", "path": "", "comparison": "equals", "expected": "200", "problem": None}
    headers = [["Content-Type", "application/json"], ["Set-Cookie", "session=abc; Path=/; HttpOnly; Secure; SameSite=Lax"]]
    rows = [{"id": f"A-{number}", "total": number * 1.5, "customer": {"name": "مها", "note": None}} for number in range(130)]
    answered: list[tuple[int, object, list[list[str]]]] = [
        (200, {"data": rows, "next": "/orders?page=2"}, headers),
        (503, {"data": rows[1:4], "error": {"code": "busy", "retry": True}}, [*headers, ["Retry-After", "30"]]),
    ]
    for number, (status, value, lines) in enumerate(answered):
        body = json.dumps(value, indent=1).encode()
        run = RequestRun(
            user_id=sent.user_id,
            request_id=sent.request_id,
            name=sent.name,
            state=RunState.DONE,
            method="GET",
            url="https://api.example.com/stock",
            definition=sent.definition,
            sent={
                "method": "GET",
                "url": "https://api.example.com/stock",
                "headers": [["Authorization", "Bearer ***"]],
                "body": None,
            },
            status_code=status,
            reason="OK" if status == 200 else "Service Unavailable",
            http_version="HTTP/1.1",
            response_headers=lines,
            media_type="application/json",
            wire_size=len(body) // 3,
            body_size=len(body),
            timing=timing,
            duration_ms=timing["total_ms"] / (number + 1),
            hops=[
                {**hop, "url": "https://example.com/stock", "status": 302, "reason": "Found"},
                {**hop, "url": "https://api.example.com/stock", "status": status, "reason": "", "stripped": ["Authorization"]},
            ],
            tls={
                "version": "TLSv1.3",
                "cipher": "TLS_AES_256_GCM_SHA384",
                "subject": "api.example.com",
                "issuer": "Example CA",
                "valid_until": "2027-01-01T00:00:00+00:00",
                "verified": status == 200,
            },
            assertions=[{**check, "passed": status == 200, "found": str(status)}],
            passed=status == 200,
            created_at=sent.created_at + dt.timedelta(seconds=number + 1),
        )
        db.session.add(run)
        db.session.flush()
        db.session.add(RequestRunBody(run_id=run.id, content=zlib.compress(body)))
    db.session.commit()


def confirm_address(browser: PlainBrowser) -> None:
    """Open the link of the mail that the worker writes."""
    deadline = time.monotonic() + 30
    while not (links := [link for link, _ in browser.get("/system/mailbox").links if "/account/email/confirm" in link]):
        assert time.monotonic() < deadline, "no mail came"
        time.sleep(0.1)
    page = browser.get(links[0])
    browser.submit(page.form("/account/email/confirm"))


def add_links() -> None:
    """Links of mails that still work: to finish a registration, to set a new password, to take a new address."""
    later = utc_now() + dt.timedelta(hours=1)
    person = db.session.scalars(sa.select(User)).first()
    assert person is not None
    person.reset_token, person.reset_token_exp = digest_token(TOKEN), later
    person.verify_token, person.verify_token_exp, person.new_email = digest_token(TOKEN), later, "maya.haddad@example.org"
    db.session.add(
        Registration(
            email="nour@example.com", name="Nour", password="!", language="ar", token=digest_token(TOKEN), expires_at=later
        )
    )
    db.session.execute(sa.delete(Mail))
    mail_confirmation(person.new_email, TOKEN, "en")
    mail_confirmation(person.new_email, TOKEN, "ar")
    db.session.commit()


def make_operator(hub: LiveHub) -> None:
    """Everybody becomes an operator, who sees every page."""
    with closing(sqlite3.connect(hub.folder / "hub.db")) as database, database:
        database.execute("UPDATE users SET role = 'OPERATOR'")


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """The machine's Chromium without a window, and without a word to the outside."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def open_context(
    chromium: Browser,
    site: Site,
    *,
    language: str,
    theme: str = "light",
    width: int = 1280,
    height: int = 900,
    signed_in: bool = True,
    scripts: bool = True,
) -> Iterator[BrowserContext]:
    """A fresh profile with language, theme and, unless told otherwise, the person signed in and JavaScript."""
    view: ViewportSize = {"width": width, "height": height}
    context = chromium.new_context(viewport=view, reduced_motion="reduce", locale=language, java_script_enabled=scripts)
    chosen = {"hub_language": language, "hub_theme": theme} | (site.cookies if signed_in else {})
    context.add_cookies([{"name": name, "value": value, "url": site.hub.url} for name, value in chosen.items()])
    yield context
    context.close()


def watch(page: Page) -> list[str]:
    """A list that fills with what the page complains of: errors in the console (CSP among them) and uncaught exceptions."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    return complaints
