"""The rule analyzer: judges a failure by the catalogue, offline and in milliseconds."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hub.plugin_api import Cause, Diagnosis, Evidence, LocalizedText, Quote, Suggestion
from plugins.analyzers.rules.carried_errors import first_failure
from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.catalogue import RULES
from plugins.analyzers.rules.documentation import DOCUMENTATION
from plugins.analyzers.rules.patch import compile_patch
from plugins.analyzers.rules.rule import Finding, Fix, Rule, text

_QUOTE_LENGTH = 300


class RulesAnalyzer:
    """Knows the failures of the catalogue; says ``unknown`` to every other one. Pure: no network, no database."""

    name = "rules"

    def diagnose(self, evidence: Evidence) -> Diagnosis | None:
        """The diagnosis of the highest-ranking rule that applies."""
        case = Case(first_failure(evidence) or evidence)
        best: tuple[Rule, Finding] | None = None
        for rule in RULES:
            if best and rule.rank <= best[0].rank:
                continue
            finding = rule.examine(case)
            if finding is not None:
                best = (rule, finding)
        return _diagnosis(case, *best) if best else _unknown(case)


def _diagnosis(case: Case, rule: Rule, finding: Finding) -> Diagnosis:
    node = finding.node or case.name
    words = {"node": node or "", "code": case.error.code or "", "message": case.error.message, **finding.words}
    suggestions = [made for fix in rule.fixes if (made := _suggestion(case, finding, fix, words))]
    return Diagnosis(
        cause=rule.cause,
        node=node,
        confidence=round(min(rule.prior * finding.certainty, 0.99), 3),
        summary=_filled(rule.summary, words),
        evidence=(*_error_quotes(case), *finding.quotes),
        suggestions=tuple(suggestions),
        source=rule.id,
        documentation=DOCUMENTATION.get(rule.cause),
    )


def _suggestion(case: Case, finding: Finding, fix: Fix, words: Mapping[str, str]) -> Suggestion | None:
    """The fix as a suggestion; None for a change that cannot be made here."""
    patch = None
    if fix.make:
        edits = fix.make(case, finding)
        patch = compile_patch(case.evidence, edits) if edits else None
        if patch is None:
            return None
    confidence = fix.confidence * finding.certainty
    if "workflow-changed" in case.evidence.limits:
        confidence *= 0.7  # the node may have been repaired, or broken otherwise, since it ran
    return Suggestion(
        title=_filled(fix.title, words),
        explanation=_filled(fix.explanation, words),
        kind="patch" if patch else "manual",
        patch=patch,
        confidence=round(min(confidence, 0.99), 3),
    )


def _error_quotes(case: Case) -> tuple[Quote, ...]:
    """The error's own words, with where they stand in the evidence."""
    error = case.error
    found = (("message", error.message), ("description", error.description), ("code", error.code))
    quotes = [Quote(pointer=f"/error/{key}", quote=value[:_QUOTE_LENGTH]) for key, value in found if value]
    quotes += [Quote(pointer="/error/messages/0", quote=message[:_QUOTE_LENGTH]) for message in error.messages[:1]]
    if not quotes:
        quotes.append(Quote(pointer="/status", quote=case.evidence.status))
    return tuple(quotes)


def _unknown(case: Case) -> Diagnosis:
    return Diagnosis(
        cause=Cause.UNKNOWN,
        node=case.name,
        confidence=0.1,
        summary=text(
            "None of the known failures looks like this one.",
            "لا يشبه هذا الفشل أيًّا من حالات الفشل المعروفة.",
        ),
        evidence=_error_quotes(case),
        suggestions=(_READ_THE_ERROR,),
        source="none",
    )


_READ_THE_ERROR = Suggestion(
    title=text("Read the error in n8n", "اقرأ الخطأ في n8n"),
    explanation=text(
        "Open the execution in n8n, look at the node that failed and at the data it was given, and run that node alone.",
        "افتح التنفيذ في n8n وانظر إلى العقدة التي فشلت وإلى البيانات التي وصلتها، ثم شغّل تلك العقدة وحدها.",
    ),
    kind="manual",
    confidence=0.1,
)


#: Code in an Arabic sentence: ``$json.name``, ``JSON.parse($input.first().json.data)``.
_CODE = re.compile(r"[A-Za-z.(]*\$[!-~]*[A-Za-z0-9)\]]")


def _filled(words: LocalizedText, values: Mapping[str, str]) -> LocalizedText:
    """The text with its placeholders filled; the values are data and are not looked at again."""
    arabic = _CODE.sub(lambda match: _isolated(match.group()), words.ar)
    return LocalizedText(en=_fill(words.en, values), ar=_fill(arabic, {key: _isolated(value) for key, value in values.items()}))


def _isolated(text: str) -> str:
    """Between FSI and PDI (Unicode's UAX 9), because ``$json.name`` reads ``json.name$`` in a line from right to left."""
    return f"\u2068{text}\u2069" if text else text


def _fill(template: str, values: Mapping[str, str]) -> str:
    for key, value in values.items():
        if "{" + key + "}" in template:
            # A brace in a value must not become a placeholder.
            template = template.replace("{" + key + "}", value.replace("{", "\x00"))
    return template.replace("\x00", "{")
