"""A person's export and the end of the account as JSON. The file itself is fetched in the browser or with ``hub user export``."""

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


class AccountDeletion(Resource):
    """The end of the account."""

    email: str = Field(description="The account's e-mail address, as confirmation.")


@operation("GET", "/me/export", scope=f"account:{PERSON}", answer=DataExportResource)
def get_data_export() -> Any:
    """How the export of the signed-in person stands."""
    return DataExportResource.model_validate(services.find_export(current_actor()))


@operation("POST", "/me/export", scope=f"account:{PERSON}", answer=DataExportResource, status=202)
def request_data_export() -> Any:
    """Ask for a file with everything that belongs to the person. Needs a sign-in of the last 20 minutes."""
    return DataExportResource.model_validate(services.request_export(current_actor()))


@operation("POST", "/me/deletion", scope=f"account:{PERSON}", answer=None, errors=(409,))
def delete_account(json: AccountDeletion) -> None:
    """Delete the account and everything in it: at once nothing of it works any more. Needs a sign-in of the last 20 minutes."""
    services.request_deletion(current_actor(), json.email)
