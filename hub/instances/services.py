"""Connected n8n servers: who has which, how to talk to them, and how the connection stands."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import sqlalchemy as sa
from blinker import Signal
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from hub.accounts.plan_limits import Limit
from hub.accounts.quotas import counts, require_room
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import DecryptionError
from hub.egress import EgressError, check_url, current_policy, describe_egress_error, open_session
from hub.errors import Invalid, NotFound, ReadOnly
from hub.extensions import db
from hub.identifiers import new_id
from hub.instances.client import N8nClient
from hub.instances.connection import ConnectionReport, inspect_connection, read_key_expiry
from hub.instances.errors import KeyUnreadable, N8nError
from hub.instances.features import Features
from hub.instances.models import API_KEY, Instance, InstanceStatus
from hub.instances.words import english_error
from hub.pagination import Page, clamp_limit, keyset, make_page

MAX_KEY = 4096
SYNC_MINUTES = (1, 5, 15, 60, 360, 1440)
#: What people copy from the browser after the address of their n8n.
_PAGE_PATHS = re.compile(r"/(api/v1|api|rest|home|workflow|signin|setup)(/.*)?$")


#: Sent with the ``Instance`` in the transaction that stores it.
instance_went_down = Signal("An n8n does not answer any more.")
instance_came_up = Signal("An n8n answers again.")

# --- Reading -------------------------------------------------------------------------------------------------------


def list_instances(actor: Actor, *, cursor: str | None = None, limit: int | None = None) -> Page[Instance]:
    """The actor's instances by name."""
    limit = clamp_limit(limit)
    own = sa.select(Instance).where(Instance.user_id == actor.user_id)
    statement = keyset(own, (Instance.name, Instance.id), (str, str), cursor=cursor, limit=limit, descending=False)
    return make_page(db.session.scalars(statement).all(), limit, "name", "id")


def get_instance(actor: Actor, instance_id: str) -> Instance:
    """One of the actor's instances; a stranger's is ``NotFound``."""
    own = sa.select(Instance).where(Instance.id == instance_id, Instance.user_id == actor.user_id)
    instance = db.session.scalar(own)
    if instance is None:
        raise NotFound()
    return instance


def get_connected_instance(actor: Actor, instance_id: str) -> Instance:
    """One of the actor's instances that stands for a server; ``ReadOnly`` for a sample."""
    instance = get_instance(actor, instance_id)
    if instance.is_sample:
        raise ReadOnly(_("The sample instance stands for no server. Add your own n8n to do this."))
    return instance


@counts(Limit.INSTANCES)
def count_instances(account_id: str) -> int:
    """How many servers an account has connected; the sample is none."""
    own = sa.select(sa.func.count()).select_from(Instance).where(Instance.user_id == account_id, Instance.is_sample.is_(False))
    return db.session.scalar(own) or 0


def last_report(instance: Instance) -> ConnectionReport | None:
    """The last connection test; None where there was none since the address or the key changed."""
    return ConnectionReport.from_json(instance.capabilities.get("report"))


# --- Changing ------------------------------------------------------------------------------------------------------


def create_instance(actor: Actor, *, name: str, url: str, api_key: str) -> Instance:
    """Connect an n8n. Nothing is asked of it yet: ``check_connection`` does that. ``Invalid`` names each wrong field;
    ``PlanLimitReached`` where the plan allows no further one.
    """
    fields = _Fields()
    name, url, api_key = fields.name(name), fields.url(url, actor), fields.key(api_key)
    fields.check()
    require_room(actor, Limit.INSTANCES)
    assert actor.user_id is not None  # noqa: S101 (the hub itself connects nothing)
    instance = Instance(id=new_id(), user_id=actor.user_id, name=name, url=url, api_key="")
    _set_key(instance, api_key)
    db.session.add(instance)
    _flush_unique()
    record_event(actor, "instance.create", "instance", instance.id, details={"name": name, "url": url})
    db.session.commit()
    return instance


def update_instance(
    actor: Actor,
    instance_id: str,
    *,
    name: str,
    url: str,
    api_key: str | None = None,
    sync_interval_minutes: int | None = None,
) -> Instance:
    """Change an instance; an ``api_key`` of None keeps the stored one.

    A new origin needs the key again: else whoever may edit could send the stored key to a server of their own.
    """
    instance = get_connected_instance(actor, instance_id)
    fields = _Fields()
    name, url = fields.name(name), fields.url(url, actor, but=instance.id)
    new_key = fields.key(api_key) if api_key else None
    if url and new_key is None and _origin(url) != _origin(instance.url):
        fields.problems["api_key"] = _("The address leads to another server, so enter its API key too.")
    minutes = fields.minutes(sync_interval_minutes, instance.sync_interval_minutes)
    fields.check()
    before = {"name": instance.name, "url": instance.url, "sync_interval_minutes": instance.sync_interval_minutes}
    after = {"name": name, "url": url, "sync_interval_minutes": minutes}
    changed = sorted(key for key, value in after.items() if before[key] != value) + (["api_key"] if new_key else [])
    instance.name, instance.url, instance.sync_interval_minutes = name, url, minutes
    if new_key:
        _set_key(instance, new_key)
    if "url" in changed or new_key:
        _forget_connection(instance)
    _flush_unique()
    record_event(actor, "instance.update", "instance", instance.id, details={"changed": changed})
    db.session.commit()
    return instance


def delete_instance(actor: Actor, instance_id: str) -> None:
    """Forget an instance with its workflows, executions and the key. Nothing changes on the n8n itself."""
    instance = get_instance(actor, instance_id)
    record_event(actor, "instance.delete", "instance", instance.id, details={"name": instance.name, "url": instance.url})
    db.session.execute(sa.delete(Instance).where(Instance.id == instance.id))
    db.session.commit()


# --- Talking to n8n ------------------------------------------------------------------------------------------------


def open_client(instance: Instance) -> N8nClient:
    """A client for the instance, to be closed. ``ReadOnly`` for a sample; ``KeyUnreadable`` where the key does not open."""
    if instance.is_sample:
        raise ReadOnly(_("The sample instance stands for no server. Add your own n8n to do this."))
    try:
        api_key = API_KEY.decrypt(instance.api_key, instance.id)
    except DecryptionError as error:
        raise KeyUnreadable from error
    features = Features.from_json(instance.capabilities.get("features"))
    return N8nClient(instance.url, api_key, open_session(current_policy()), features=features)


def key_opens(instance: Instance) -> bool:
    """Whether the stored API key can be read with the present encryption keys; a sample has none."""
    return instance.is_sample or bool(known_secrets(instance))


def known_secrets(instance: Instance) -> list[str]:
    """What the hub itself keeps secret of the instance, to be taken out of whatever comes from it."""
    if instance.is_sample:
        return []
    try:
        return [API_KEY.decrypt(instance.api_key, instance.id)]
    except DecryptionError:
        return []


def check_connection(actor: Actor, instance_id: str) -> ConnectionReport:
    """Test the connection, keep the result and answer it. No transaction is open while n8n is asked."""
    instance = get_connected_instance(actor, instance_id)
    key_expires_at = instance.key_expires_at
    try:
        client = open_client(instance)
    except KeyUnreadable as error:
        mark_error(instance, error)
        record_event(actor, "instance.test", "instance", instance.id, success=False, details={"reason": "key-unreadable"})
        db.session.commit()
        raise Invalid(fields={"api_key": instance.last_error or ""}) from error
    db.session.commit()
    with client:
        inspection = inspect_connection(client, key_expires_at)
    instance = get_connected_instance(actor, instance_id)
    if inspection.error is None:
        mark_connected(instance, client)
    else:
        mark_error(instance, inspection.error)
    instance.latency_ms = inspection.report.latency_ms
    instance.capabilities = {**instance.capabilities, "report": inspection.report.to_json()}
    details = {"error": instance.error_code} if instance.error_code else {}
    record_event(actor, "instance.test", "instance", instance.id, success=inspection.report.ok, details=details)
    db.session.commit()
    return inspection.report


def mark_connected(instance: Instance, client: N8nClient | None = None) -> None:
    """Note that n8n answered as it should, and keep what ``client`` found out about it. The caller commits."""
    instance.status = InstanceStatus.CONNECTED
    instance.last_error, instance.error_code, instance.error_details = None, None, {}
    if instance.down_since is not None:
        instance_came_up.send(instance)
        instance.down_since = None
    features = client.known_features if client else None
    if features is not None:
        instance.version = features.version
        if features.to_json() != instance.capabilities.get("features"):
            instance.capabilities = {**instance.capabilities, "features": features.to_json()}


def mark_error(instance: Instance, error: N8nError) -> None:
    """Note why n8n cannot be used. The caller commits."""
    instance.status = InstanceStatus.ERROR
    instance.last_error = english_error(error)
    instance.error_code = error.code
    instance.error_details = {key: value for key, value in error.details.items() if isinstance(value, (str, int, float))}


def mark_down(instance: Instance) -> None:
    """Note, once patience is over, that n8n does not answer; its error is noted already. The caller commits."""
    if instance.down_since is None:
        instance.down_since = utc_now()
        instance_went_down.send(instance)


# --- Parts ---------------------------------------------------------------------------------------------------------


def _set_key(instance: Instance, api_key: str) -> None:
    instance.api_key = API_KEY.encrypt(api_key, instance.id)
    instance.key_expires_at = read_key_expiry(api_key)


def _forget_connection(instance: Instance) -> None:
    instance.status = InstanceStatus.DISCONNECTED
    instance.last_error, instance.error_code, instance.error_details = None, None, {}
    instance.capabilities, instance.version, instance.latency_ms = {}, None, None
    instance.down_since = None


def _is_taken(actor: Actor, url: str, *, but: str | None = None) -> bool:
    same = sa.select(Instance.id).where(Instance.user_id == actor.user_id, Instance.url == url)
    return db.session.scalar(same if but is None else same.where(Instance.id != but)) is not None


def _flush_unique() -> None:
    """Write the row. Two requests at once pass ``_is_taken`` both; the unique rule refuses the second."""
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Invalid(fields={"url": _("You have connected this address already.")}) from error


def _origin(url: str) -> str:
    return check_url(url).origin


class _Fields:
    """Checks the fields of a form and collects what is wrong with each."""

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}

    def check(self) -> None:
        """``Invalid`` with all problems, if there are any."""
        if self.problems:
            raise Invalid(fields=self.problems)

    def name(self, text: str) -> str:
        """A name of 1 to 200 printable characters."""
        name = text.strip()
        if not 1 <= len(name) <= 200 or not name.isprintable():
            self.problems["name"] = _("Enter a name of at most 200 characters.")
        return name

    def key(self, text: str) -> str:
        """An API key fit for a header."""
        key = text.strip()
        if not key:
            self.problems["api_key"] = _("Enter the API key from n8n: Settings, n8n API.")
        elif len(key) > MAX_KEY or not re.fullmatch(r"[!-~]+", key):
            self.problems["api_key"] = _("This is no n8n API key: it must be one word of plain letters, digits and signs.")
        return key

    def url(self, text: str, actor: Actor, *, but: str | None = None) -> str:
        """The normal form of an n8n's address that the operator's policy allows and that no other instance has."""
        try:
            url = normalize_url(text)
        except EgressError as error:
            self.problems["url"] = describe_egress_error(error.code, error.details) or str(error)
            return ""
        if _is_taken(actor, url, but=but):
            self.problems["url"] = _("You have connected this address already.")
        return url

    def minutes(self, value: int | None, present: int) -> int:
        """One of the offered sync intervals."""
        if value is not None and value not in SYNC_MINUTES:
            self.problems["sync_interval_minutes"] = _("Choose one of the offered values.")
        return present if value is None else value


def normalize_url(text: str) -> str:
    """``scheme://host[:port][/path]`` of an n8n: https where no scheme is given, without what the browser's address adds.

    ``EgressError`` where it is no usable URL or leads to an address that the hub does not reach. A name that does not
    resolve passes: the connection test says so.
    """
    text = text.strip()
    if "://" not in text:
        text = f"https://{text}"
    target = check_url(text)
    try:
        current_policy().resolve(target.host, target.port)
    except EgressError as error:
        if error.code != "dns":
            raise
    path = re.sub(r"/{2,}", "/", urlsplit(text).path)
    return target.origin + _PAGE_PATHS.sub("", path).rstrip("/")
