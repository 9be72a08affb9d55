"""The application: every part that is put together, in order."""

from __future__ import annotations

import logging

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from hub import errors_web, i18n, log_records, refusals, security, templating
from hub.accounts import jobs as _accounts_jobs
from hub.accounts import models as _accounts
from hub.accounts import web as accounts_web
from hub.accounts.billing import jobs as _billing_jobs
from hub.accounts.billing import models as _billing
from hub.accounts.billing.views import bp as billing_pages
from hub.accounts.confirmation_pages import bp as confirmation_pages
from hub.accounts.credential_pages import bp as credentials_pages
from hub.accounts.password_pages import bp as passwords_pages
from hub.accounts.people_pages import bp as people_pages
from hub.accounts.plan_pages import bp as plans_pages
from hub.accounts.registration_pages import bp as registration_pages
from hub.accounts.second_factor import models as _second_factor
from hub.accounts.second_factor import web as second_factor_web
from hub.accounts.second_factor.views import bp as second_factor_pages
from hub.accounts.views import bp as accounts_pages
from hub.analyses import jobs as _analyses_jobs
from hub.analyses import model_tables as _model_tables
from hub.analyses import models as _analyses
from hub.analyses.calibration_page import bp as analyses_pages
from hub.analyses.model_use_pages import bp as model_use_pages
from hub.api import init_api
from hub.audit import jobs as _audit_jobs
from hub.audit import models as _audit
from hub.audit.views import bp as audit_pages
from hub.automation import jobs as _automation_jobs
from hub.automation import models as _automation
from hub.automation.views import bp as automation_pages
from hub.automation.workflow_page import bp as workflows_pages
from hub.catalog import jobs as _catalog_jobs
from hub.catalog import models as _catalog
from hub.config import ROOT, Config, load_config
from hub.crypto import Signer, Vault, derive_key
from hub.dashboard.views import bp as dashboard_pages
from hub.executions import jobs as _executions_jobs
from hub.executions import models as _executions
from hub.executions.views import bp as executions_pages
from hub.extensions import Base, db, htmx
from hub.failures import jobs as _failures_jobs
from hub.failures.views import bp as failures_pages
from hub.http_builder import jobs as _http_builder_jobs
from hub.http_builder import models as _http_builder
from hub.http_builder.environment_pages import bp as environments_pages
from hub.http_builder.explaining.views import bp as explaining_pages
from hub.http_builder.export_pages import bp as exports_pages
from hub.http_builder.import_pages import bp as requests_pages
from hub.http_builder.n8n import models as _n8n
from hub.http_builder.n8n.views import bp as n8n_pages
from hub.http_builder.oauth_views import bp as oauth_pages
from hub.http_builder.pack_pages import bp as catalog_pages
from hub.http_builder.responses.pages import bp as runs_pages
from hub.http_builder.running.chain_pages import bp as chains_pages
from hub.instances import models as _instances
from hub.jobs import jobs as _queue_jobs
from hub.jobs import models as _jobs
from hub.mail import jobs as _mail_jobs
from hub.mail import models as _mail
from hub.mail.views import bp as mailbox_pages
from hub.my_data import jobs as _my_data_jobs
from hub.my_data.views import bp as my_data_pages
from hub.plugin_manager import PluginManager
from hub.plugin_settings import jobs as _plugin_settings_jobs
from hub.plugin_settings import models as _plugin_settings
from hub.plugin_settings.views import bp as plugin_settings_pages
from hub.preferences import bp as preferences_pages
from hub.sample import services as sample
from hub.sync import jobs as _sync_jobs
from hub.sync.instance_pages import bp as instances_pages
from hub.system.key_pages import bp as system_pages
from hub.system.styleguide import bp as styleguide_pages
from hub.webhooks import jobs as _webhooks_jobs
from hub.webhooks import models as _webhooks
from hub.webhooks.views import bp as webhooks_pages
from hub.workflows import models as _workflows

#: All tables of the hub are known once this module is imported.
MODELS = (
    _accounts,
    _billing,
    _second_factor,
    _analyses,
    _model_tables,
    _audit,
    _automation,
    _catalog,
    _executions,
    _http_builder,
    _n8n,
    _instances,
    _jobs,
    _mail,
    _plugin_settings,
    _webhooks,
    _workflows,
)

#: All background work is declared once this module is imported.
JOBS = (
    _accounts_jobs,
    _billing_jobs,
    _analyses_jobs,
    _audit_jobs,
    _automation_jobs,
    _catalog_jobs,
    _executions_jobs,
    _failures_jobs,
    _http_builder_jobs,
    _my_data_jobs,
    _mail_jobs,
    _plugin_settings_jobs,
    _queue_jobs,
    _sync_jobs,
    _webhooks_jobs,
)

PAGES = (
    dashboard_pages,
    accounts_pages,
    second_factor_pages,
    registration_pages,
    passwords_pages,
    credentials_pages,
    plans_pages,
    billing_pages,
    people_pages,
    my_data_pages,
    confirmation_pages,
    instances_pages,
    workflows_pages,
    executions_pages,
    failures_pages,
    analyses_pages,
    model_use_pages,
    automation_pages,
    requests_pages,
    n8n_pages,
    exports_pages,
    catalog_pages,
    oauth_pages,
    environments_pages,
    runs_pages,
    chains_pages,
    explaining_pages,
    webhooks_pages,
    audit_pages,
    system_pages,
    plugin_settings_pages,
    preferences_pages,
)


def create_app(config: Config | None = None) -> Flask:
    """The WSGI application. It neither migrates nor schedules: ``hub db upgrade`` and ``hub worker`` do."""
    config = config or load_config()
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    _configure(app, config)
    _init_database(app, config)
    _init_plugins(app, config)
    htmx.init_app(app)
    i18n.init_app(app)
    security.init_app(app)
    accounts_web.init_app(app)
    second_factor_web.init_app(app)
    errors_web.init_app(app)
    refusals.init_app(app)
    sample.init_app(app)
    _automation_jobs.init_app(app)
    for pages in PAGES:
        app.register_blueprint(pages)
    if config.is_development:
        app.register_blueprint(styleguide_pages)
    if config.has_mailbox:
        app.register_blueprint(mailbox_pages)
    init_api(app)
    templating.init_app(app)
    return app


def _configure(app: Flask, config: Config) -> None:
    log_records.install()
    logging.getLogger("hub").setLevel(config.log_level)
    newest, *older = config.encryption_keys
    app.config.update(
        SECRET_KEY=derive_key(newest, "flask.session").hex(),
        SECRET_KEY_FALLBACKS=[derive_key(key, "flask.session").hex() for key in older],
        SESSION_COOKIE_NAME=config.cookie_name("hub_state"),
        SESSION_COOKIE_SECURE=config.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=20_000_000,
        MAX_FORM_MEMORY_SIZE=5_000_000,  # a body of 1 MB, or an import that waits to be confirmed
        MAX_FORM_PARTS=8_000,  # eight tables of 200 rows
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.extensions["hub_config"] = config
    app.extensions["hub_vault"] = Vault(config.encryption_keys)
    app.extensions["hub_signer"] = Signer(config.encryption_keys)
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _init_database(app: Flask, config: Config) -> None:
    if config.database.is_sqlite:
        config.instance_dir.mkdir(parents=True, exist_ok=True)
    app.config["SQLALCHEMY_DATABASE_URI"] = config.database.url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = dict(config.database.options)
    db.init_app(app)


def _init_plugins(app: Flask, config: Config) -> None:
    """Load the plugins; one that brings tables without its own prefix would break the hub's migrations, so it is refused."""
    manager = PluginManager(Base.metadata, Base.registry)
    manager.load(config.plugins, safe_mode=config.safe_mode)
    app.extensions["hub_plugins"] = manager
