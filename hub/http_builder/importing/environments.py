"""Saving environments that came along with a document: what is new is added, what the person has already stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.contracts.actor import Actor
from hub.errors import HubError
from hub.http_builder.environments import VariableDraft, create_environment, create_variable, list_environments, list_variables
from hub.http_builder.importing.results import ImportedEnvironment
from hub.http_builder.secret_values import authority_of

_MAX_NAME = 120


@dataclass(frozen=True, slots=True)
class SavedEnvironment:
    """What became of one. ``left_out`` are names of variables that could not be stored: secrets that no host is known for."""

    id: str
    name: str
    added: tuple[str, ...]
    kept: tuple[str, ...]
    left_out: tuple[str, ...]


def save_environments(actor: Actor, environments: Sequence[ImportedEnvironment]) -> tuple[SavedEnvironment, ...]:
    """Make the environments, or fill up those of the same name. Secrets are bound to the hosts that the environment names."""
    known = {row.name: row.id for row in list_environments(actor)}
    saved = []
    for environment in environments:
        name = " ".join(environment.name.split())[:_MAX_NAME] or "?"
        if name not in known:
            known[name] = create_environment(actor, name).id
        saved.append(_fill(actor, known[name], name, environment))
    return tuple(saved)


def _fill(actor: Actor, environment_id: str, name: str, environment: ImportedEnvironment) -> SavedEnvironment:
    stored = {row.name for row in list_variables(actor, environment_id)}
    hosts = tuple(dict.fromkeys(host for row in environment.variables if (host := authority_of(row.value))))
    drafts = [
        VariableDraft(row.name, row.value, description=row.description or "") for row in environment.variables if row.enabled
    ]
    drafts += [VariableDraft(key, value, is_secret=True, hosts=hosts) for key, value in environment.secrets.items()]
    added, kept, left_out = [], [], []
    for draft in drafts:
        if draft.name in stored:
            kept.append(draft.name)
        elif draft.is_secret and not draft.value:
            left_out.append(draft.name)
        else:
            try:
                create_variable(actor, environment_id, draft)
                added.append(draft.name)
            except HubError:
                left_out.append(draft.name)
    return SavedEnvironment(environment_id, name, tuple(added), tuple(kept), tuple(left_out))
