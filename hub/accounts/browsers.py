"""What a User-Agent header says, in a few words; good enough to know one's own sessions apart."""

from __future__ import annotations

import re

from flask_babel import gettext as _

#: In this order: browsers name those that they descend from too.
_BROWSERS = (
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/"),
    ("Safari", r"Safari/"),
    ("curl", r"^curl/"),
)
_SYSTEMS = (
    ("Android", r"Android"),
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux"),
)


def describe_browser(user_agent: str | None) -> str:
    """``Firefox on Linux``; what cannot be told is left out."""
    text = user_agent or ""
    browser = next((name for name, pattern in _BROWSERS if re.search(pattern, text)), None)
    system = next((name for name, pattern in _SYSTEMS if re.search(pattern, text)), None)
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or _name_of_program(text) or _("Unknown browser")


def _name_of_program(text: str) -> str | None:
    """``python-requests`` of ``python-requests/2.32``; browsers that nobody knows all call themselves Mozilla.

    Without dots: it stands in mails, where it shall be no address of a site.
    """
    name = re.match(r"(?!Mozilla/)([A-Za-z][A-Za-z0-9_-]{1,39})/", text)
    return name[1] if name else None
