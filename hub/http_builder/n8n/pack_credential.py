"""The credential type that the pack of a request names for n8n."""

from __future__ import annotations

import sqlalchemy as sa

from hub.catalog.models import Template
from hub.catalog.services import service_of
from hub.contracts.catalog import ServiceFacts
from hub.contracts.http import NoAuth
from hub.extensions import db
from hub.http_builder.models import Request
from hub.http_builder.n8n.credentials import ServiceCredential


def pack_credential(request: Request) -> ServiceCredential | None:
    """What the pack says that the request was made from; None where there is none, or it signs in by its address alone."""
    if request.service_id is None:
        return None
    template = db.session.scalar(sa.select(Template).where(Template.service_id == request.service_id).limit(1))
    if template is None or not template.service:
        return None
    return credential_of(service_of(template))


def credential_of(service: ServiceFacts) -> ServiceCredential | None:
    """The credential that a pack names; None where it names none, or signs in by its address alone."""
    if service.n8n_credential_type is None or isinstance(service.auth, NoAuth):
        return None
    return ServiceCredential(service.n8n_credential_type, service.hosts, service.auth)
