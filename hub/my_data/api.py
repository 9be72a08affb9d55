"""A person's export as JSON. The file itself is fetched in the browser or with ``hub user export``."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.json_api import PERSON, Resource, Time, operation
from hub.my_data import services
from hub.my_data.services import ExportState


class DataExportResource(Resource):
    """How the export stands."""

    state: ExportState
    size: int | None = Field(description="Bytes, once it is ready.")
    expires_at: Time | None = Field(description="When the file is removed.")
    done: int = Field(description="Tables that are written.")
    total: int | None = Field(description="Tables there are; null where nobody knows yet.")


@operation("GET", "/me/export", scope=f"account:{PERSON}", answer=DataExportResource)
def get_data_export() -> Any:
    """How the export of the signed-in person stands."""
    return DataExportResource.model_validate(services.find_export(current_actor()))


@operation("POST", "/me/export", scope=f"account:{PERSON}", answer=DataExportResource, status=202)
def request_data_export() -> Any:
    """Ask for a file with everything that belongs to the person. Needs a sign-in of the last 20 minutes."""
    return DataExportResource.model_validate(services.request_export(current_actor()))
