"""All that a plugin may import. What is not here may change without notice."""

from __future__ import annotations

from hub.analyses.brief import Brief, brief_of
from hub.analyses.reads import FieldRead, find_reads
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
from hub.contracts.billing import (
    BillingCustomer,
    BillingMessage,
    BillingProvider,
    BillingRefused,
    BillingUnavailable,
    Subscription,
)
from hub.contracts.catalog import EndpointTemplate, HttpMethod, ServicePack, TemplateVariable
from hub.contracts.events import Failure, FailureEvent
from hub.contracts.model_analyzer import (
    ModelAnalyzer,
    ModelFailure,
    ModelListener,
    ModelQuestion,
    ModelReading,
    ModelReply,
)
from hub.contracts.settings import (
    CheckLine,
    CheckReport,
    Choice,
    PluginSettings,
    SettingField,
    SettingValue,
    SettingValues,
)
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
from hub.crypto import DecryptionError
from hub.encrypted_columns import EncryptedColumn, encrypted_column
from hub.hookspecs import hookimpl
from hub.plugin_services import NetworkError, describe_bad_url, fetch, read_settings
from hub.redaction import TOKEN as REDACTION_TOKEN

__all__ = [
    "REDACTION_TOKEN",
    "Analyzer",
    "BillingCustomer",
    "BillingMessage",
    "BillingProvider",
    "BillingRefused",
    "BillingUnavailable",
    "Brief",
    "Cause",
    "CheckLine",
    "CheckReport",
    "Choice",
    "ConfirmWorkflow",
    "DecryptionError",
    "Diagnosis",
    "EncryptedColumn",
    "EndpointTemplate",
    "ErrorFacts",
    "Evidence",
    "Failure",
    "FailureEvent",
    "FieldRead",
    "HttpMethod",
    "LocalizedText",
    "ModelAnalyzer",
    "ModelFailure",
    "ModelListener",
    "ModelQuestion",
    "ModelReading",
    "ModelReply",
    "NetworkError",
    "NodeData",
    "PackError",
    "PluginSettings",
    "Quote",
    "Read",
    "ReadDetail",
    "ReadExecution",
    "ReadExecutions",
    "ReadFacts",
    "ReadWorkflows",
    "ServicePack",
    "SettingField",
    "SettingValue",
    "SettingValues",
    "Subscription",
    "Suggestion",
    "SyncState",
    "SyncStrategy",
    "TemplateVariable",
    "brief_of",
    "describe_bad_url",
    "encrypted_column",
    "fetch",
    "find_reads",
    "hookimpl",
    "load_pack",
    "read_settings",
]
