"""The offline analyzer: a catalogue of known failures with their repairs. The default, needs no key and no network."""

from __future__ import annotations

from collections.abc import Callable

from hub.plugin_api import Analyzer, hookimpl
from plugins.analyzers.rules.analyzer import RulesAnalyzer


@hookimpl
def hub_register_analyzers(register: Callable[[Analyzer], None]) -> None:
    """Offer the rule analyzer."""
    register(RulesAnalyzer())
