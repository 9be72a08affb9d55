"""``hub analyze``: explains one failed execution from a file, without an n8n and without a database."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from pathlib import Path

import click
import sqlalchemy as sa

from hub.analyses.diagnosis import ask_analyzers, bench_answer, confidence_word
from hub.analyses.documents import UnreadableDocument, parse_document, split_document
from hub.analyses.evidence import build_evidence
from hub.config import check_settings, read_environment
from hub.contracts.analysis import Analyzer, Diagnosis
from hub.plugin_manager import PluginManager


@click.command("analyze")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--explain", is_flag=True, help="Print prose instead of JSON.")
@click.option("--model", "with_model", is_flag=True, help="Also ask the model that is set up in the hub; needs its database.")
@click.option("--language", type=click.Choice(["en", "ar"]), default="en", show_default=True, help="Language of the texts.")
def analyze(file: Path, explain: bool, with_model: bool, language: str) -> None:
    """Say why the execution in FILE failed and what repairs it; "-" reads standard input.

    FILE holds {"execution": ..., "workflow": ...} or one execution, as n8n's public API gives them. The answer is JSON.
    Exit code 2 means that the input could not be read.
    """
    try:
        execution, workflow = split_document(parse_document(_read(file)))
        evidence = build_evidence(execution, workflow)
    except UnreadableDocument as error:
        click.echo(f"hub analyze: {error.message}", err=True)
        sys.exit(2)
    _, diagnosis = ask_analyzers(load_analyzers(), evidence)
    if with_model:
        from hub.cli.ask_model import ask_model

        diagnosis = ask_model(evidence, diagnosis)
    if explain:
        click.echo(prose(diagnosis, language))
    else:
        click.echo(json.dumps(bench_answer(diagnosis, language), ensure_ascii=False, indent=1))


def load_analyzers() -> Collection[Analyzer]:
    """The enabled analyzers. Only the settings about plugins matter here: no key and no database is needed."""
    settings = {finding.setting.name: finding.value for finding in check_settings(read_environment())}
    plugins = PluginManager(sa.MetaData())
    plugins.load(settings["HUB_PLUGINS"] or (), safe_mode=bool(settings["HUB_SAFE_MODE"]))
    return plugins.registry.analyzers.values()


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnreadableDocument("unreadable", f"{file} cannot be read: {error.strerror}.") from error


WORDS = {
    "en": {
        "cause": "Cause",
        "node": "Node",
        "confidence": "Confidence",
        "evidence": "Evidence",
        "suggestions": "What to do",
        "high": "high",
        "medium": "medium",
        "low": "low",
        "uncalibrated": "not yet calibrated",
        "patch": "change to the workflow",
    },
    "ar": {
        "cause": "السبب",
        "node": "العقدة",
        "confidence": "الثقة",
        "evidence": "الأدلة",
        "suggestions": "ما العمل",
        "high": "عالية",
        "medium": "متوسطة",
        "low": "منخفضة",
        "uncalibrated": "لم تُعايَر بعد",
        "patch": "تعديل على سير العمل",
    },
}


def prose(diagnosis: Diagnosis, language: str, *, with_patches: bool = True, believed: str | None = None) -> str:
    """The diagnosis in sentences, for a terminal; changes as RFC 6902 where ``with_patches``.

    ``believed`` is the confidence in words; without it the analyzer's own is named, which nothing has proven.
    """
    words = WORDS[language]
    level = believed or f"{words[confidence_word(diagnosis.confidence)]} ({words['uncalibrated']})"
    lines = [
        diagnosis.summary.in_language(language),
        "",
        f"{words['cause']}: {diagnosis.cause.value}",
        f"{words['node']}: {diagnosis.node or '-'}",
        f"{words['confidence']}: {level}",
    ]
    if diagnosis.evidence:
        lines += ["", f"{words['evidence']}:"]
        lines += [f"  - {quote.pointer}: {quote.quote}" for quote in diagnosis.evidence]
    if diagnosis.suggestions:
        lines += ["", f"{words['suggestions']}:"]
    for number, suggestion in enumerate(diagnosis.suggestions, 1):
        lines.append(f"  {number}. {suggestion.title.in_language(language)}")
        lines.append(f"     {suggestion.explanation.in_language(language)}")
        if suggestion.patch and with_patches:
            lines.append(f"     {words['patch']}:")
            lines += [f"       {json.dumps(operation, ensure_ascii=False)}" for operation in suggestion.patch]
    return "\n".join(lines)
