"""All that a plugin may import. What is not here may change without notice."""

from __future__ import annotations

from hub.analyses.brief import Brief, brief_of
from hub.catalog.packs import PackError, load_pack
from hub.contracts.analysis import (
    Analyzer,
    Cause,
    Diagnosis,
    ErrorFacts,
    Evidence,
    LocalizedText,
    NodeData,
    Quote,
    Suggestion,
)
from hub.contracts.catalog import EndpointTemplate, HttpMethod, ServicePack, TemplateVariable
from hub.contracts.events import Failure, FailureEvent
from hub.contracts.sync import (
    ConfirmWorkflow,
    Read,
    ReadDetail,
    ReadExecution,
    ReadExecutions,
    ReadFacts,
    ReadWorkflows,
    SyncState,
    SyncStrategy,
)
from hub.hookspecs import hookimpl

__all__ = [
    "Analyzer",
    "Brief",
    "Cause",
    "ConfirmWorkflow",
    "Diagnosis",
    "EndpointTemplate",
    "ErrorFacts",
    "Evidence",
    "Failure",
    "FailureEvent",
    "HttpMethod",
    "LocalizedText",
    "NodeData",
    "PackError",
    "Quote",
    "Read",
    "ReadDetail",
    "ReadExecution",
    "ReadExecutions",
    "ReadFacts",
    "ReadWorkflows",
    "ServicePack",
    "Suggestion",
    "SyncState",
    "SyncStrategy",
    "TemplateVariable",
    "brief_of",
    "hookimpl",
    "load_pack",
]
