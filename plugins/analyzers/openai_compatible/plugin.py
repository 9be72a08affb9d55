"""OpenAI-compatible models: explains what the rules leave, once an operator has set a server and a model."""

from __future__ import annotations

from collections.abc import Callable

from hub.plugin_api import ModelAnalyzer, PluginSettings, hookimpl
from plugins.analyzers.openai_compatible.analyzer import OpenAiCompatibleAnalyzer
from plugins.analyzers.openai_compatible.settings import SETTINGS


@hookimpl
def hub_register_model_analyzers(register: Callable[[ModelAnalyzer], None]) -> None:
    register(OpenAiCompatibleAnalyzer())


@hookimpl
def hub_register_settings(register: Callable[[PluginSettings], None]) -> None:
    register(SETTINGS)
