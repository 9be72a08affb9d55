"""What the hub does for plugins at run time: their settings, and the one guarded way to the network.

The hub's rooms are imported when they are needed: ``hub analyze`` loads plugins without a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hub.contracts.analysis import LocalizedText
from hub.contracts.settings import SettingValue

if TYPE_CHECKING:
    from hub.egress import Answer, EgressError


class NetworkError(Exception):
    """A request was refused or failed before there was a complete answer. ``code`` is that of ``EgressError``."""

    def __init__(self, error: EgressError) -> None:
        super().__init__(str(error))
        self.code = error.code
        self.words = _words(error)


def read_settings(plugin: str) -> dict[str, SettingValue]:
    """The plugin's settings as its operator left them, secrets too; defaults for what was never set. Needs the app's context."""
    from hub.plugin_settings.services import read_values

    return read_values(plugin)


def fetch(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    timeout: float = 30.0,
    max_bytes: int = 5_000_000,
) -> Answer:
    """One HTTP request by the operator's network policy; ``NetworkError`` for everything that is no complete answer.

    The name is resolved once and the address judged before it is connected to; private addresses need an entry in
    HUB_ALLOWED_ADDRESSES. ``timeout`` seconds hold for the whole of it. No redirect is followed, no proxy is used.
    """
    from hub import egress

    seconds = max(timeout, 0.001)
    try:
        with egress.open_session(egress.current_policy()) as session:
            return egress.fetch(session, method, url, headers=headers, content=content, timeout=seconds, max_bytes=max_bytes)
    except egress.EgressError as error:
        raise NetworkError(error) from error


def describe_bad_url(url: str) -> LocalizedText | None:
    """What is wrong with the form of an address; None for one that could be fetched. Asks nothing of the network."""
    from hub import egress

    try:
        egress.check_url(url)
    except egress.EgressError as error:
        return _words(error)
    return None


def _words(error: EgressError) -> LocalizedText:
    from flask_babel import force_locale

    from hub.egress import describe_egress_error

    said = {}
    for language in ("en", "ar"):
        with force_locale(language):
            said[language] = describe_egress_error(error.code, error.details) or str(error)
    return LocalizedText(**said)
