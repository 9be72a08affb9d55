"""Errors and checks of an instance in words, in the reader's language: what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from hub.egress import describe_egress_error
from hub.instances.errors import N8nError
from hub.instances.models import Instance

Details = Mapping[str, Any]


def describe_error(code: str, details: Details) -> str:
    """The sentence for an error's code and details (``N8nError.code`` and ``.details``)."""
    words = _WORDS.get(code)
    if words is not None:
        return words(details)
    return describe_egress_error(code, details) or _("The connection failed (%(code)s).", code=code)


def describe_interval(minutes: int) -> str:
    """A time between two syncs: whole minutes below an hour, else whole hours."""
    if minutes < 60:
        return ngettext("%(num)s minute", "%(num)s minutes", minutes)
    return ngettext("%(num)s hour", "%(num)s hours", minutes // 60)


def english_error(error: N8nError) -> str:
    """What is stored as ``last_error`` and read by machines."""
    with force_locale("en"):
        return describe_error(error.code, error.details)


def describe_instance_error(instance: Instance) -> str | None:
    """What keeps an instance from working, in the active language; None when all is well."""
    if instance.error_code is None:
        return instance.last_error
    return describe_error(instance.error_code, instance.error_details)


def _not_n8n(details: Details) -> str:
    if details.get("reason") == "redirect":
        return _("The server sends the hub on to %(location)s. Enter that address instead.", location=details.get("location"))
    if details.get("reason") == "html":
        return _(
            "A web page answers there, not n8n's API. Enter the address at which the editor opens, without anything after the "
            "host; if n8n is behind a path, the proxy must pass /api/v1 on."
        )
    if details.get("reason") == "not-found":
        return _("There is no n8n API at this address. Check the path, and that N8N_PUBLIC_API_DISABLED is not set.")
    return _("Something answers at this address, but it is not n8n's API.")


def _rate_limited(details: Details) -> str:
    if "seconds" in details:
        return _("n8n asks to wait %(seconds)s seconds before the next request.", seconds=details["seconds"])
    return _("n8n limits how often it may be asked. The hub tries again later.")


def _server_fault(details: Details) -> str:
    return _(
        "n8n, or the proxy before it, answered with an internal error (%(status)s). Look at its log; the hub tries again later.",
        status=details.get("status"),
    )


def _too_large(details: Details) -> str:
    limit = f"{details['limit'] / 1_000_000:g}"
    return _("n8n's answer is larger than %(limit)s MB (HUB_EXECUTION_MAX_BYTES), so it was not read.", limit=limit)


_WORDS: dict[str, Callable[[Details], str]] = {
    "unauthorized": lambda _details: _(
        "n8n does not accept the API key. It may be mistyped, expired or deleted, or the API may be switched off. Make a new "
        "key in n8n under Settings, n8n API, and enter it here."
    ),
    "forbidden": lambda _details: _(
        "The API key lacks a permission. Give it the missing scope in n8n under Settings, n8n API, or make a new key."
    ),
    "missing": lambda _details: _("n8n does not have this object any more, or the key's user may not see it."),
    "not-n8n": _not_n8n,
    "starting": lambda _details: _("n8n is starting up. Try again in a minute."),
    "rate-limited": _rate_limited,
    "rejected": lambda details: _("n8n refused the request: %(message)s", message=details.get("message", "")),
    "server-fault": _server_fault,
    "broken-answer": lambda _details: _("n8n's answer was cut short or is no valid JSON. The hub tries again later."),
    "too-large": _too_large,
    "key-unreadable": lambda _details: _(
        "The stored API key cannot be opened with the present ENCRYPTION_KEY. Enter the key again."
    ),
}


#: What the hub wants to do, with the scopes of n8n that it needs.
ABILITIES: dict[str, tuple[str, ...]] = {
    "workflows": ("workflow:list", "workflow:read"),
    "executions": ("execution:list", "execution:read"),
    "repair": ("workflow:update",),
    "retry": ("execution:retry",),
    "publish": ("workflow:activate",),
}


def describe_ability(name: str) -> str:
    """What an ability of the key is good for."""
    return {
        "workflows": _("See workflows"),
        "executions": _("See executions"),
        "repair": _("Save repairs"),
        "retry": _("Retry executions"),
        "publish": _("Put workflows live"),
    }[name]


def describe_check(name: str, state: str, details: Details) -> str:
    """The sentence of one check of a connection report."""
    if "code" in details:
        return describe_error(str(details["code"]), details)
    return _CHECKS[name](state, details)


def check_title(name: str) -> str:
    """What a check is about."""
    return {
        "reachable": _("Reachable"),
        "api": _("n8n API"),
        "key": _("API key"),
        "permissions": _("Permissions"),
        "features": _("Features"),
        "expiry": _("Key expiry"),
    }[name]


def _reachable(_state: str, details: Details) -> str:
    return _("The server answers in %(ms)s ms.", ms=round(details["ms"]))


def _permissions(state: str, details: Details) -> str:
    if state == "ok" and details.get("known"):
        return _("The key may do everything that the hub needs.")
    if not details["missing"]:
        return _("The key may read. This n8n does not tell what else it may do; repairs will show.")
    return _(
        "The key may not: %(abilities)s. Add these scopes to the key in n8n under Settings, n8n API: %(scopes)s.",
        abilities=", ".join(describe_ability(name) for name in details["missing"]),
        scopes=", ".join(details["scopes"]),
    )


def _features(state: str, details: Details) -> str:
    version = details.get("version") or _("unknown")
    if state == "ok":
        return _("n8n %(version)s: repairs are saved as drafts and go live only once they are proven.", version=version)
    if details.get("retry"):
        return _(
            "n8n %(version)s cannot save a draft of a live workflow: a repair goes live when it is saved. Update n8n to 2.38 or "
            "later.",
            version=version,
        )
    return _("n8n %(version)s cannot retry executions through its API, so repairs cannot be proven. Update n8n.", version=version)


def _expiry(state: str, details: Details) -> str:
    if "days" not in details:
        return _("The key does not expire.")
    if state == "fail":
        return _("The key has expired. Make a new one in n8n under Settings, n8n API, and enter it here.")
    return _("The key expires in %(days)s days.", days=details["days"])


_CHECKS: dict[str, Callable[[str, Details], str]] = {
    "reachable": _reachable,
    "api": lambda _state, _details: _("n8n's public API answers at this address."),
    "key": lambda _state, _details: _("n8n accepts the key."),
    "permissions": _permissions,
    "features": _features,
    "expiry": _expiry,
}
