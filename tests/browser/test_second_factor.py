"""The second factor in Chromium with a virtual authenticator: an app, passkeys, recovery codes, and who must have one."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from hub.accounts.second_factor import totp
from tests.browser.site import EMAIL, PASSWORD, watch
from tests.browser.test_pages import find_too_wide, find_violations
from tests.live_hub import LiveHub

pytestmark = pytest.mark.browser

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

#: The device here answers at once, so that offers in the user name's field would be taken before any button is pressed.
NO_OFFERS = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A hub that demands a second factor of everybody. Passkeys need a name, so it is opened as `localhost`."""
    hub = LiveHub(tmp_path_factory.mktemp("hub"), {"HUB_REQUIRE_SECOND_FACTOR": "free", "HUB_SAMPLE": "false"})
    hub.start()
    hub.url = f"http://localhost:{hub.port}"
    hub.command("user", "create", EMAIL, "--name", "Maya Haddad", "--password-stdin", text=PASSWORD)
    yield hub
    hub.stop()


class Device:
    """A virtual authenticator in one tab."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        self._id = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]

    def is_touched(self, touched: bool) -> None:
        """Whether somebody is there to touch it."""
        self._session.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self._id, "enabled": touched})

    def knows_its_owner(self, known: bool) -> None:
        """Whether finger or PIN are right."""
        self._session.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": known})

    def copy_is_used(self) -> None:
        """As if a copy of its keys had signed meanwhile: its own count falls behind."""
        for credential in self._session.send("WebAuthn.getCredentials", {"authenticatorId": self._id})["credentials"]:
            self._session.send(
                "WebAuthn.removeCredential", {"authenticatorId": self._id, "credentialId": credential["credentialId"]}
            )
            fields = {"credentialId", "isResidentCredential", "rpId", "privateKey", "userHandle"}
            copy = {name: value for name, value in credential.items() if name in fields} | {"signCount": 0}
            self._session.send("WebAuthn.addCredential", {"authenticatorId": self._id, "credential": copy})


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="en")
    yield context
    context.close()


@pytest.fixture(autouse=True)
def nothing_set_up(hub: LiveHub) -> None:
    """Maya begins anew, and nothing was tried yet."""
    with closing(sqlite3.connect(hub.folder / "hub.db", timeout=30)) as database, database:
        database.execute("UPDATE users SET two_factor_enabled = 0, two_factor_secret = NULL, recovery_key = NULL")
        for table in ("passkeys", "recovery_codes", "pending_sign_ins", "rate_buckets"):
            database.execute(f"DELETE FROM {table}")


def enter_password(page: Page, hub: LiveHub) -> None:
    page.goto(hub.url + "/login")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def set_up_app(page: Page, hub: LiveHub) -> tuple[str, list[str]]:
    """The secret that the page showed, and the recovery codes."""
    page.goto(hub.url + "/account/security/app")
    page.get_by_text("You cannot scan it?").click()
    secret = page.locator("#secret").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(present_code(secret))
    page.get_by_role("button", name="Set up").click()
    return secret, page.locator("#recovery-codes").inner_text().split()


def add_passkey(page: Page, hub: LiveHub) -> None:
    page.goto(hub.url + "/account/security/passkeys/new")
    page.get_by_label("Name").fill("Phone")
    page.get_by_role("button", name="Go on").click()


def present_code(secret: str) -> str:
    return totp.code_at(totp._generator(secret), int(time.time()) // totp.STEP)


def test_from_nothing_to_an_app(hub: LiveHub, context: BrowserContext) -> None:
    """Led to the page, nothing else opens; then a code of the app, one that was used, and a recovery code."""
    page = context.new_page()
    complaints = watch(page)
    enter_password(page, hub)
    expect(page.get_by_text("Set up a second factor to go on")).to_be_visible()
    page.goto(hub.url + "/workflows")
    expect(page).to_have_url(hub.url + "/account/security")
    secret, codes = set_up_app(page, hub)
    assert len(codes) == 10
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert set(codes) < set(download.value.path().read_text().splitlines())
    page.goto(hub.url + "/workflows")
    expect(page).to_have_url(hub.url + "/workflows")
    assert complaints == []
    context.clear_cookies()
    enter_password(page, hub)
    page.get_by_label("Code").fill(present_code(secret))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("This code was used already")).to_be_visible()
    page.get_by_label("Code").fill(codes[0].lower())
    page.get_by_role("button", name="Go on").click()
    expect(page).to_have_url(hub.url + "/")


def test_a_passkey_signs_in_alone_and_as_second_factor(hub: LiveHub, context: BrowserContext) -> None:
    page = context.new_page()
    complaints = watch(page)
    device = Device(page)
    enter_password(page, hub)
    add_passkey(page, hub)
    expect(page.locator("#recovery-codes")).to_be_visible()
    add_passkey(page, hub)
    expect(page.get_by_text("There is a passkey for you on this device already.")).to_be_visible()
    device.is_touched(False)

    context.clear_cookies()
    enter_password(page, hub)
    device.is_touched(True)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(hub.url + "/")

    context.clear_cookies()
    page.add_init_script(NO_OFFERS)
    page.goto(hub.url + "/login?next=/account")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(hub.url + "/account")

    page.goto(hub.url + "/account/confirm?next=/account/security")
    page.locator("form", has=page.locator("[data-passkey]")).get_by_role("button").click()
    expect(page).to_have_url(hub.url + "/account/security")
    assert complaints == []


def test_passkeys_are_offered_with_the_user_name(hub: LiveHub, context: BrowserContext) -> None:
    """The browser offers them in the field, and whoever takes one is signed in without a click on any button."""
    page = context.new_page()
    Device(page)
    enter_password(page, hub)
    add_passkey(page, hub)
    expect(page.locator("#recovery-codes")).to_be_visible()
    context.clear_cookies()
    page.goto(hub.url + "/login?next=/account")
    expect(page).to_have_url(hub.url + "/account")


def test_who_the_device_does_not_know_is_refused(hub: LiveHub, context: BrowserContext) -> None:
    page = context.new_page()
    device = Device(page)
    enter_password(page, hub)
    add_passkey(page, hub)
    expect(page.locator("#recovery-codes")).to_be_visible()
    context.clear_cookies()
    page.add_init_script(NO_OFFERS)
    page.goto(hub.url + "/login")
    device.knows_its_owner(False)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("The browser gave no passkey.")).to_be_visible()


def test_a_copied_passkey_is_refused_and_marked(hub: LiveHub, context: BrowserContext) -> None:
    page = context.new_page()
    device = Device(page)
    enter_password(page, hub)
    add_passkey(page, hub)
    expect(page.locator("#recovery-codes")).to_be_visible()
    page.goto(hub.url + "/account/confirm?next=/account/security")
    passkey = page.locator("form", has=page.locator("[data-passkey]")).get_by_role("button")
    passkey.click()
    expect(page).to_have_url(hub.url + "/account/security")
    device.copy_is_used()
    page.goto(hub.url + "/account/confirm?next=/account/security")
    passkey.click()
    expect(page.get_by_text("The passkey was not accepted.")).to_be_visible()
    page.goto(hub.url + "/account/security")
    expect(page.get_by_text("Perhaps copied")).to_be_visible()


def test_without_script_codes_work_and_passkeys_are_hidden(hub: LiveHub, chromium: Browser, context: BrowserContext) -> None:
    page = context.new_page()
    Device(page)
    enter_password(page, hub)
    _secret, codes = set_up_app(page, hub)
    add_passkey(page, hub)
    expect(page.get_by_text("The passkey was added.")).to_be_visible()
    plain = chromium.new_context(java_script_enabled=False)
    page = plain.new_page()
    enter_password(page, hub)
    expect(page.get_by_label("Code")).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Go on").click()
    page.goto(hub.url + "/account/security/passkeys/new")
    assert "Passkeys need JavaScript" in page.content()
    expect(page.get_by_label("Name")).to_be_hidden()
    plain.close()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_pages_are_accessible_and_fit(hub: LiveHub, context: BrowserContext, language: str) -> None:
    page = context.new_page()
    device = Device(page)
    enter_password(page, hub)
    set_up_app(page, hub)
    context.add_cookies([{"name": "hub_language", "value": language, "url": hub.url}])
    wrong = look_at(page)
    for path in ("/account/security", "/account/security/app", "/account/security/passkeys/new", "/account/confirm"):
        page.goto(hub.url + path)
        wrong += look_at(page)
    context.add_cookies([{"name": "hub_language", "value": "en", "url": hub.url}])
    add_passkey(page, hub)
    expect(page.get_by_text("The passkey was added.")).to_be_visible()
    device.is_touched(False)
    context.clear_cookies(name="hub_session")
    enter_password(page, hub)
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
    context.add_cookies([{"name": "hub_language", "value": language, "url": hub.url}])
    for path in ("/login/second-factor", "/login"):
        page.goto(hub.url + path)
        wrong += look_at(page)
    assert wrong == []


def look_at(page: Page) -> list[str]:
    """What is wrong with the present page, wide and narrow."""
    wrong = []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        wrong += [f"{page.url} at {width}: {problem}" for problem in (*find_too_wide(page), *find_violations(page))]
    return wrong
