"""The connection test: what is reachable, whether the key is accepted, and what it may do. No database here."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

from hub.columns import utc_now
from hub.instances.client import N8nClient
from hub.instances.errors import Forbidden, N8nError, TimedOut, Unauthorized, Unreachable
from hub.instances.features import Features
from hub.instances.words import ABILITIES, check_title, describe_check

CheckState = Literal["ok", "warn", "fail"]
EXPIRY_WARNING = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. ``details`` has plain values for the words; ``code`` among them where an error was met."""

    name: str
    state: CheckState
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What was checked, in the active language."""
        return check_title(self.name)

    @property
    def sentence(self) -> str:
        """What was found and what to do, in the active language."""
        return describe_check(self.name, self.state, self.details)


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """The result of a connection test, in the order in which it was found."""

    checks: tuple[Check, ...]
    checked_at: dt.datetime
    #: Milliseconds of one small request; None where nothing answered.
    latency_ms: float | None = None
    #: The key's scopes, None where n8n does not tell.
    scopes: tuple[str, ...] | None = None

    @property
    def ok(self) -> bool:
        """Whether the instance can be used."""
        return all(check.state != "fail" for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``instances.capabilities``."""
        return {**asdict(self), "checked_at": self.checked_at.isoformat()}

    @classmethod
    def from_json(cls, values: object) -> Self | None:
        """What ``to_json`` gave; None for anything else."""
        if not isinstance(values, dict):
            return None
        return cls(
            checks=tuple(Check(**check) for check in values["checks"]),
            checked_at=dt.datetime.fromisoformat(values["checked_at"]),
            latency_ms=values["latency_ms"],
            scopes=None if values["scopes"] is None else tuple(values["scopes"]),
        )


@dataclass(frozen=True, slots=True)
class Inspection:
    """A report with what it was made from: the error that ended it, and the features found."""

    report: ConnectionReport
    error: N8nError | None
    features: Features | None


def read_key_expiry(api_key: str) -> dt.datetime | None:
    """When an n8n API key ends. Its keys are JWTs; None for older keys and for keys without an end."""
    parts = api_key.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return dt.datetime.fromtimestamp(claims["exp"], dt.UTC)
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError, OSError):
        return None


def inspect_connection(client: N8nClient, key_expires_at: dt.datetime | None) -> Inspection:
    """Test a connection step by step; a step that fails ends the test, because the later ones need it."""
    checks: list[Check] = []
    seen: dict[str, bool] = {}
    try:
        seen["workflows"] = _may(lambda: client.list_workflows(limit=1))
        latency = client.last_ms
        seen["executions"] = _may(lambda: client.list_executions(limit=1))
        scopes = client.get_scopes()
        features = client.features(fresh=True)
    except N8nError as error:
        return Inspection(_failed_report(error, client.last_ms, key_expires_at), error, None)
    checks = [
        Check("reachable", "ok", {"ms": latency}),
        Check("api", "ok"),
        Check("key", "ok"),
        _check_permissions(scopes, seen),
        _check_features(features),
        _check_expiry(key_expires_at),
    ]
    told = None if scopes is None else tuple(sorted(scopes))
    report = ConnectionReport(tuple(checks), utc_now(), latency, told)
    return Inspection(report, None if report.ok else Forbidden(), features)


def _may(read: Any) -> bool:
    try:
        read()
    except Forbidden:
        return False
    return True


def _failed_report(error: N8nError, ms: float, key_expires_at: dt.datetime | None) -> ConnectionReport:
    """What was proven before the error, the error, and an expired key, which explains a refusal."""
    failed = Check("api", "fail", {"code": error.code, **error.details})
    before: tuple[Check, ...] = (Check("reachable", "ok", {"ms": ms}),)
    if isinstance(error, (Unreachable, TimedOut)):
        return ConnectionReport((replace(failed, name="reachable"),), utc_now())
    if isinstance(error, Unauthorized):
        failed, before = replace(failed, name="key"), (*before, Check("api", "ok"))
    expiry = _check_expiry(key_expires_at)
    after = (expiry,) if expiry.state == "fail" else ()
    return ConnectionReport((*before, failed, *after), utc_now(), ms)


def _check_permissions(scopes: frozenset[str] | None, seen: dict[str, bool]) -> Check:
    """What the key may not do. Without both lists an instance is of no use; the rest is a warning."""
    if scopes is None:
        missing = [name for name, allowed in seen.items() if not allowed]
    else:
        missing = [name for name, needed in ABILITIES.items() if not scopes.issuperset(needed) or seen.get(name) is False]
    lacking = [scope for name in missing for scope in ABILITIES[name] if scopes is None or scope not in scopes]
    details = {"missing": missing, "scopes": lacking, "known": scopes is not None}
    if any(not allowed for allowed in seen.values()):
        return Check("permissions", "fail", details)
    return Check("permissions", "warn" if missing else "ok", details)


def _check_features(features: Features) -> Check:
    details = {"version": features.version, "retry": features.retry}
    return Check("features", "ok" if features.retry and features.publish_if_active else "warn", details)


def _check_expiry(expires_at: dt.datetime | None) -> Check:
    if expires_at is None:
        return Check("expiry", "ok")
    left = expires_at - utc_now()
    state: CheckState = "fail" if left <= dt.timedelta() else "warn" if left <= EXPIRY_WARNING else "ok"
    return Check("expiry", state, {"days": max(left.days, 0)})
