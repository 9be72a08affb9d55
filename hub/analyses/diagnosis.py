"""Asks analyzers, and says their answer in the form of the repair bench. Needs no app and no database."""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Iterable
from typing import Any

from hub.contracts.analysis import Analyzer, Cause, Diagnosis, Evidence, LocalizedText

log = logging.getLogger(__name__)

NOBODY = "none"


def ask_analyzers(analyzers: Iterable[Analyzer], evidence: Evidence) -> tuple[str, Diagnosis]:
    """The first answer and its analyzer's signature; one that raises is logged and skipped; ``unknown`` if none answers."""
    for analyzer in analyzers:
        try:
            diagnosis = analyzer.diagnose(evidence)
        except Exception:
            log.exception("analyzer %s failed", analyzer.name)
            continue
        if diagnosis is not None:
            return signature(analyzer), diagnosis
    return NOBODY, unknown(evidence)


def signature(analyzer: Analyzer) -> str:
    """Name and version: an answer of another version is not the same answer."""
    version = getattr(analyzer, "version", None) or importlib.metadata.version("ai-http-hub")
    return f"{analyzer.name} {version}"[:60]


def unknown(evidence: Evidence) -> Diagnosis:
    """What the hub says where no analyzer has anything to say."""
    return Diagnosis(
        cause=Cause.UNKNOWN,
        node=evidence.failing_node,
        confidence=0.0,
        summary=LocalizedText(
            en="No analyzer recognises this failure. The error text and the node's input are below.",
            ar="لم يتعرّف أي محلّل على هذا الفشل. نص الخطأ ومدخلات العقدة مبيّنة أدناه.",
        ),
        source=NOBODY,
    )


def bench_answer(diagnosis: Diagnosis, language: str = "en") -> dict[str, Any]:
    """The diagnosis as the JSON that an analyzer prints."""
    return {
        "cause": diagnosis.cause.value,
        "node": diagnosis.node,
        "confidence": diagnosis.confidence,
        "summary": diagnosis.summary.in_language(language),
        "suggestions": [
            {
                "title": suggestion.title.in_language(language),
                "explanation": suggestion.explanation.in_language(language),
                "kind": suggestion.kind,
                "patch": list(suggestion.patch) if suggestion.patch is not None else None,
                "confidence": suggestion.confidence,
            }
            for suggestion in diagnosis.suggestions
        ],
    }


def confidence_word(confidence: float) -> str:
    """``high``, ``medium`` or ``low``: numbers of uncalibrated analyzers are not to be read to the digit."""
    if confidence >= 0.8:
        return "high"
    return "medium" if confidence >= 0.5 else "low"
