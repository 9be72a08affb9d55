"""A browser without JavaScript: follows links, fills forms, keeps cookies. What works here works for everybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Form:
    """A form with the values it came with."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: set[str] = field(default_factory=set)
    """Names of its buttons; a value for one of them presses it."""


@dataclass
class Page:
    """An answer: address, status, text without tags, links and forms."""

    url: str
    status: int
    html: str
    text: str
    links: list[tuple[str, str]]
    """(address, text) of every link."""
    forms: list[Form]

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def form(self, action: str) -> Form:
        """The first form whose address ends with `action`."""
        for form in self.forms:
            if urlsplit(form.action).path.endswith(action):
                return form
        raise AssertionError(f"no form {action} on {self.path}, but {[form.action for form in self.forms]}:\n{self.text[:2000]}")

    def link(self, part: str) -> str:
        """The address of the first link whose address or text contains `part`."""
        for address, text in self.links:
            if part in address or part in text:
                return address
        raise AssertionError(f"no link {part} on {self.path}, but {self.links}")


class PlainBrowser:
    """A session with one site."""

    def __init__(self, site: str, language: str = "en") -> None:
        self.site = site
        self._session = requests.Session()
        self._session.headers["Accept-Language"] = language

    def get(self, address: str) -> Page:
        """Follow a link (relative or absolute), and redirects."""
        return _page(self._session.get(urljoin(self.site, address), timeout=120))

    def cookies(self) -> dict[str, str]:
        """What the site has set."""
        return {cookie.name: cookie.value or "" for cookie in self._session.cookies}

    def set_cookies(self, cookies: dict[str, str]) -> None:
        """Go on with what another browser was given."""
        self._session.cookies.update(cookies)

    def submit(self, form: Form, **values: str) -> Page:
        """Fill a form, press its button, and follow the redirect; raises where a field does not exist."""
        unknown = set(values) - set(form.fields) - form.buttons
        assert not unknown, f"{form.action} has no field {unknown}, but {sorted(form.fields)}"
        fields = form.fields | values
        arguments = {"params": fields} if form.method == "get" else {"data": fields}
        headers = {"Referer": self.site + "/", "Origin": self.site}
        return _page(
            self._session.request(form.method, urljoin(self.site, form.action), timeout=120, headers=headers, **arguments)
        )


def read_page(url: str, status: int, html: str) -> Page:
    """A page from an answer's text."""
    reader = _Reader(url)
    reader.feed(html)
    text = "\n".join(line for line in (" ".join(part.split()) for part in reader.texts) if line)
    return Page(url, status, html, text, reader.links, reader.forms)


def _page(reply: requests.Response) -> Page:
    return read_page(reply.url, reply.status_code, reply.text)


class _Reader(HTMLParser):
    """Collects forms, links and visible text."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self._select: tuple[Form, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append((tag, values))
        if tag == "form":
            self.forms.append(Form(values.get("method", "get").lower(), urljoin(self.url, values.get("action", ""))))
        elif tag == "a" and "href" in values:
            self.links.append((urljoin(self.url, values["href"]), ""))
        elif tag in ("input", "button", "textarea", "select", "option"):
            self._read_field(tag, values)

    def _read_field(self, tag: str, values: dict[str, str]) -> None:
        form = self.forms[-1] if self.forms else None
        if form is None:
            return
        name, kind = values.get("name", ""), values.get("type", "text")
        if tag == "option":
            if self._select and ("selected" in values or not self._select[0].fields[self._select[1]]):
                self._select[0].fields[self._select[1]] = values.get("value", "")
        elif tag == "select" and name:
            form.fields[name] = ""
            self._select = (form, name)
        elif tag == "button" or kind in ("submit", "button"):
            if name:
                form.buttons.add(name)
        elif name and (kind not in ("checkbox", "radio") or "checked" in values):
            form.fields[name] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self._open]
        if "script" in tags or "style" in tags:
            return
        self.texts.append(data)
        if "a" in tags and self.links:
            address, text = self.links[-1]
            self.links[-1] = (address, f"{text} {data.strip()}".strip())
        if tags and tags[-1] == "textarea" and self.forms:
            name = self._open[-1][1].get("name", "")
            self.forms[-1].fields[name] = self.forms[-1].fields.get(name, "") + data
