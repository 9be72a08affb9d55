"""Every setting: name, default, meaning and check, in one typed place. Values come from the environment (and ``.env``)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from hub.audit_settings import AUDIT_SETTINGS, AuditSettings
from hub.mail_settings import MAIL_SETTINGS, MailSettings, missing_mail_settings
from hub.plan_settings import PLAN_SETTINGS, PlanSettings
from hub.request_settings import REQUEST_SETTINGS, RequestLimits
from hub.second_factor_settings import SECOND_FACTOR_SETTINGS
from hub.security_contact import SECURITY_CONTACT
from hub.settings import Need, Setting, as_bool, as_list, at_least, one_of, share

ROOT = Path(__file__).resolve().parent.parent


class ConfigError(Exception):
    """A setting is missing or wrong. The message says which, why, and what to do."""


def as_encryption_keys(text: str) -> tuple[bytes, ...]:
    """Comma-separated base64 keys of 32 bytes each, newest first."""
    keys = []
    for word in as_list(text):
        try:
            key = base64.b64decode(word.replace("-", "+").replace("_", "/") + "=" * (-len(word) % 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("must be base64") from error
        if len(key) != 32:
            raise ValueError("must hold keys of 32 bytes each, in base64 (44 characters)")
        if len(set(key)) < 8:
            raise ValueError("is not random")
        keys.append(key)
    if not keys:
        raise ValueError("must hold at least one key")
    return tuple(keys)


def as_authorities(text: str) -> Path:
    """A file of certificates in PEM."""
    path = (ROOT / text).resolve()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"must be a readable file of certificates in PEM ({error.strerror or error})") from error
    return path


@dataclass(frozen=True, slots=True)
class Database:
    """A SQLAlchemy URL with its engine options, translated from what ``DATABASE_URL`` may hold."""

    url: str
    options: Mapping[str, Any] = field(default_factory=dict)
    #: PostgreSQL schema (Prisma's ``schema``), None for the default.
    schema: str | None = None

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")


def as_database(text: str) -> Database:
    """Parse postgresql://, postgres://, sqlite:/// and ``file:./dev.db``, with Prisma's query parameters.

    ``schema`` becomes the search path, ``connection_limit`` the pool size, ``pool_timeout`` seconds to wait for a connection.
    Relative SQLite paths are relative to the project's folder.
    """
    parts = urlsplit(text)
    parameters = dict(parse_qsl(parts.query))
    schema = parameters.pop("schema", None)
    pool = _pool_options(parameters)
    if parts.scheme == "file" or (parts.scheme == "sqlite" and not parts.netloc):
        path = text.split("?")[0].removeprefix("file:").removeprefix("sqlite://")
        if text.startswith("sqlite:"):
            path = path.removeprefix("/")
        if not path:
            raise ValueError("names no file")
        return Database(url=f"sqlite:///{(ROOT / path).resolve()}", options=pool)
    if parts.scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise ValueError("must begin with postgresql://, postgres://, sqlite:/// or file:")
    if not parts.path.strip("/"):
        raise ValueError("names no database")
    options: dict[str, Any] = {"pool_pre_ping": True, **pool}
    if schema:
        if not schema.replace("_", "").isalnum():
            raise ValueError("has a schema that is no plain name")
        options["connect_args"] = {"options": f"-csearch_path={schema}"}
    query = f"?{urlencode(parameters)}" if parameters else ""
    return Database(url=f"postgresql+psycopg://{parts.netloc}{parts.path}{query}", options=options, schema=schema)


def _pool_options(parameters: dict[str, str]) -> dict[str, Any]:
    """Take Prisma's own parameters out of ``parameters``; what is left goes to the driver."""
    options: dict[str, Any] = {}
    for name, option in (("connection_limit", "pool_size"), ("pool_timeout", "pool_timeout")):
        if name in parameters:
            text = parameters.pop(name)
            if not text.isdigit() or int(text) < 1:
                raise ValueError(f"has a {name} that is no positive whole number")
            options[option] = int(text)
    parameters.pop("pgbouncer", None)
    return options


SETTINGS: tuple[Setting, ...] = (
    Setting("HUB_ENV", "development", "development or production.", one_of("development", "production"), Need.RECOMMENDED),
    Setting(
        "DATABASE_URL",
        "file:./instance/hub.db",
        "Where the data lives: postgresql://... in production, file:./path.db for the embedded SQLite.",
        as_database,
        Need.REQUIRED,
        secret=True,
    ),
    Setting(
        "ENCRYPTION_KEY",
        None,
        "Keys that encrypt n8n API keys at rest: base64 of 32 random bytes each, comma-separated, newest first.",
        as_encryption_keys,
        Need.REQUIRED,
        secret=True,
    ),
    Setting("HUB_INSTANCE_DIR", "instance", "Folder for the embedded database, the development key and locks."),
    Setting("HUB_HOST", "127.0.0.1", "Address that the web server listens on."),
    Setting("HUB_PORT", "8000", "Port that the web server listens on.", at_least(1)),
    Setting("HUB_WEB_WORKERS", "2", "Web worker processes.", at_least(1)),
    Setting("HUB_WEB_THREADS", "8", "Threads in each web worker.", at_least(1)),
    Setting(
        "HUB_PUBLIC_URL",
        None,
        "The address people open, e.g. https://hub.example.com. Cookies are Secure when it is https.",
        need=Need.RECOMMENDED,
    ),
    Setting("HUB_TRUSTED_PROXIES", "0", "How many reverse proxies in front set X-Forwarded-* headers.", at_least(0)),
    SECURITY_CONTACT,
    Setting(
        "HUB_ALLOWED_ADDRESSES",
        "",
        "Private addresses that the hub may reach: host, host:port, CIDR or CIDR:port, comma-separated. "
        "Public addresses need no entry; loopback is open in development; metadata addresses are never reached.",
        as_list,
    ),
    Setting(
        "HUB_CA_FILE",
        None,
        "Certificates (PEM) that are trusted beside the public authorities: your own authority's, or a self-signed n8n's.",
        as_authorities,
    ),
    Setting("HUB_PLUGINS", "", "Enabled plugins by name, comma-separated; empty means all bundled ones.", as_list),
    Setting("HUB_SAFE_MODE", "false", "Start without any plugin.", as_bool),
    Setting("HUB_REGISTRATION", None, "Whether strangers may register; default: true in development only.", as_bool),
    Setting("HUB_SAMPLE", None, "Give new users a read-only sample instance; default: true in development only.", as_bool),
    Setting("HUB_WORKER_THREADS", "4", "Jobs that a worker runs at the same time.", at_least(1)),
    Setting(
        "HUB_EXECUTION_MAX_BYTES",
        "2000000",
        "Largest execution data that is read from an n8n, in bytes.",
        at_least(10_000),
    ),
    Setting("HUB_AUTOMATION", "true", "Whether workflows may be repaired without a click, where a person set it.", as_bool),
    Setting("HUB_AUTOMATION_CONFIDENCE", "0.8", "P(fix works) from which a repair is made without a click.", share),
    Setting("HUB_AUTOMATION_WORKFLOW_PER_HOUR", "1", "Automatic repairs of one workflow in an hour.", at_least(0)),
    Setting("HUB_AUTOMATION_WORKFLOW_PER_DAY", "3", "Automatic repairs of one workflow in a day.", at_least(0)),
    Setting("HUB_AUTOMATION_INSTANCE_PER_HOUR", "5", "Automatic repairs on one n8n in an hour.", at_least(0)),
    Setting("HUB_AUTOMATION_USER_PER_DAY", "20", "Automatic repairs for one person in a day.", at_least(0)),
    *PLAN_SETTINGS,
    *REQUEST_SETTINGS,
    *SECOND_FACTOR_SETTINGS,
    *MAIL_SETTINGS,
    *AUDIT_SETTINGS,
    Setting("HUB_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR.", one_of("DEBUG", "INFO", "WARNING", "ERROR")),
)


@dataclass(frozen=True, slots=True)
class AutomationLimits:
    """How far automation may go on this hub. ``confidence`` is the least P(fix works); the others count repairs."""

    enabled: bool
    confidence: float
    workflow_per_hour: int
    workflow_per_day: int
    instance_per_hour: int
    user_per_day: int


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, parsed and checked."""

    env: str
    database: Database
    encryption_keys: tuple[bytes, ...]
    instance_dir: Path
    host: str
    port: int
    web_workers: int
    web_threads: int
    public_url: str | None
    trusted_proxies: int
    security_contact: str | None
    allowed_addresses: tuple[str, ...]
    ca_file: Path | None
    plugins: tuple[str, ...]
    safe_mode: bool
    registration: bool
    sample: bool
    worker_threads: int
    execution_max_bytes: int
    automation: AutomationLimits
    plans: PlanSettings
    requests: RequestLimits
    require_second_factor: frozenset[str]
    mail: MailSettings
    audit: AuditSettings
    log_level: str

    @property
    def is_development(self) -> bool:
        return self.env == "development"

    @property
    def base_url(self) -> str:
        """Where links in mails lead. Never what a visitor's browser named as host: a mail would carry it to somebody else."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host  # noqa: S104
        return (self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}").rstrip("/")

    @property
    def has_mailbox(self) -> bool:
        """Whether mails are kept for a page of the hub instead of being sent: in development without a mail server."""
        return self.is_development and self.mail.host is None

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are Secure: always in production unless the public address is plain http on purpose."""
        return self.public_url.startswith("https://") if self.public_url else not self.is_development

    def cookie_name(self, name: str) -> str:
        """``__Host-`` binds a cookie to this host and to https, so browsers take it only with Secure."""
        return f"__Host-{name}" if self.secure_cookies else name


@dataclass(frozen=True, slots=True)
class Finding:
    """What ``hub check-env`` says of one setting."""

    setting: Setting
    value: Any
    problem: str | None
    is_set: bool


HOW_TO_MAKE_A_KEY = (
    'make one with: python3 -c "import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())" '
    "and keep it apart from the database's backups"
)


def check_settings(environ: Mapping[str, str]) -> list[Finding]:
    """Judge every setting; nothing is created or changed."""
    production = environ.get("HUB_ENV") == "production"
    missing = missing_mail_settings(environ)
    findings = []
    for setting in SETTINGS:
        text = environ.get(setting.name, "")
        is_set = bool(text)
        text = text or setting.default or ""
        value, problem = None, None
        if text:
            try:
                value = setting.parse(text)
            except ValueError as error:
                problem = f"{setting.name} {error}"
        elif setting.name == "ENCRYPTION_KEY" and production:
            problem = f"ENCRYPTION_KEY is missing; {HOW_TO_MAKE_A_KEY}"
        if setting.name in missing:
            problem = problem or f"{setting.name} {missing[setting.name]}"
        findings.append(Finding(setting, value, problem, is_set))
    return findings


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """The configuration, or a ConfigError that names every wrong setting and says what to do.

    In development a missing ENCRYPTION_KEY is made once and kept in the instance folder (mode 0600).
    """
    environ = read_environment() if environ is None else environ
    findings = check_settings(environ)
    problems = [finding.problem for finding in findings if finding.problem]
    if problems:
        raise ConfigError("; ".join(problems))
    values = {finding.setting.name: finding.value for finding in findings}
    development = values["HUB_ENV"] == "development"
    instance_dir = (ROOT / values["HUB_INSTANCE_DIR"]).resolve()
    return Config(
        env=values["HUB_ENV"],
        database=values["DATABASE_URL"],
        encryption_keys=values["ENCRYPTION_KEY"] or _development_keys(instance_dir),
        instance_dir=instance_dir,
        host=values["HUB_HOST"],
        port=values["HUB_PORT"],
        web_workers=values["HUB_WEB_WORKERS"],
        web_threads=values["HUB_WEB_THREADS"],
        public_url=values["HUB_PUBLIC_URL"],
        trusted_proxies=values["HUB_TRUSTED_PROXIES"],
        security_contact=values["HUB_SECURITY_CONTACT"],
        allowed_addresses=values["HUB_ALLOWED_ADDRESSES"] or (),
        ca_file=values["HUB_CA_FILE"],
        plugins=values["HUB_PLUGINS"] or (),
        safe_mode=values["HUB_SAFE_MODE"],
        registration=development if values["HUB_REGISTRATION"] is None else values["HUB_REGISTRATION"],
        sample=development if values["HUB_SAMPLE"] is None else values["HUB_SAMPLE"],
        worker_threads=values["HUB_WORKER_THREADS"],
        execution_max_bytes=values["HUB_EXECUTION_MAX_BYTES"],
        automation=AutomationLimits(
            enabled=values["HUB_AUTOMATION"],
            confidence=values["HUB_AUTOMATION_CONFIDENCE"],
            workflow_per_hour=values["HUB_AUTOMATION_WORKFLOW_PER_HOUR"],
            workflow_per_day=values["HUB_AUTOMATION_WORKFLOW_PER_DAY"],
            instance_per_hour=values["HUB_AUTOMATION_INSTANCE_PER_HOUR"],
            user_per_day=values["HUB_AUTOMATION_USER_PER_DAY"],
        ),
        plans=PlanSettings.of(values),
        requests=RequestLimits.of(values),
        require_second_factor=values["HUB_REQUIRE_SECOND_FACTOR"] or frozenset(),
        mail=MailSettings.of(values),
        audit=AuditSettings.of(values),
        log_level=values["HUB_LOG_LEVEL"],
    )


def read_environment() -> dict[str, str]:
    """The process's environment over the lines of ``.env`` (``NAME=value``, quotes allowed, ``#`` comments)."""
    values: dict[str, str] = {}
    file = ROOT / ".env"
    if file.is_file():
        for line in file.read_text(encoding="utf-8").splitlines():
            name, separator, value = line.strip().partition("=")
            if separator and not name.startswith("#"):
                values[name.removeprefix("export ").strip()] = value.strip().strip("\"'")
    return {**values, **os.environ}


def make_encryption_key() -> str:
    """A fresh key as ENCRYPTION_KEY takes it."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def add_development_key(config: Config, key: str) -> Path:
    """Put a key in front of those in the development file; answers the file. The hub takes it up when it starts anew."""
    file = _development_file(config.instance_dir)
    draft = _write_draft(file, f"{key},{file.read_text(encoding='ascii').strip()}")
    draft.replace(file)
    return file


def _development_file(instance_dir: Path) -> Path:
    return instance_dir / "encryption.key"


def _write_draft(file: Path, text: str) -> Path:
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    return draft


def _development_keys(instance_dir: Path) -> tuple[bytes, ...]:
    """The keys of development, the first made on first use. Linking lets exactly one of several starting processes win."""
    file = _development_file(instance_dir)
    if not file.exists():
        instance_dir.mkdir(parents=True, exist_ok=True)
        draft = _write_draft(file, make_encryption_key())
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    try:
        return as_encryption_keys(file.read_text(encoding="ascii"))
    except ValueError as error:
        raise ConfigError(f"the key in {file} {error}; put the right one back, or set ENCRYPTION_KEY") from error
