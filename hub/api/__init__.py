"""The JSON API under ``/api/v1``: puts the rooms' operations together, answers errors, and shows the document."""

from __future__ import annotations

from flask import Flask

import hub.accounts.api
import hub.accounts.auth_api
import hub.accounts.key_api
import hub.accounts.plan_api
import hub.analyses.api
import hub.analyses.calibration_api
import hub.api.audit
import hub.api.docs
import hub.automation.api
import hub.executions.api
import hub.failures.api
import hub.http_builder.api
import hub.http_builder.chain_api
import hub.http_builder.environment_api
import hub.http_builder.explaining.api
import hub.http_builder.n8n.api
import hub.http_builder.run_api
import hub.http_builder.template_api
import hub.http_builder.transfer_api
import hub.instances.api
import hub.my_data.api
import hub.sync.api
import hub.webhooks.api
import hub.workflows.api  # noqa: F401 (the modules add their operations to the blueprint)
from hub.api import problems, rates
from hub.extensions import csrf
from hub.json_api import api


def init_api(app: Flask) -> None:
    """Register the blueprint. No cookie counts here, so there is nothing that a forged request could ride on."""
    csrf.exempt(api)
    problems.init_app(app)
    rates.init_app(app)
    app.register_blueprint(api)
