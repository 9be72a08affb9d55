"""What the analyzer of requests is made of: how it says a cause, advice and a change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.contracts.analysis import Cause, Diagnosis, Evidence, ExchangeFacts, LocalizedText, Quote, Suggestion
from hub.contracts.http import RequestDefinition
from hub.http_builder.explaining.edits import Edit, patch_for
from hub.http_builder.n8n.reading import read_node


@dataclass(frozen=True, slots=True)
class Look:
    """A failed request as the rules look at it. ``definition`` is read back from the node, without secrets."""

    evidence: Evidence
    facts: ExchangeFacts
    definition: RequestDefinition

    @classmethod
    def at(cls, evidence: Evidence) -> Look | None:
        """None where the failure is not of a request that the hub sent."""
        node = evidence.node(evidence.failing_node)
        if evidence.exchange is None or node is None:
            return None
        return cls(evidence, evidence.exchange, read_node(node)[0])

    def say(
        self,
        source: str,
        cause: Cause,
        summary: LocalizedText,
        suggestions: Iterable[Suggestion | None],
        *,
        confidence: float = 0.9,
        pointer: str = "/error/message",
        quote: str = "",
    ) -> Diagnosis:
        """The diagnosis; suggestions that are None are left out."""
        error = self.evidence.error
        quotes = [Quote(pointer=pointer, quote=quote[:300])] if quote else []
        quotes += [Quote(pointer="/error/message", quote=error.message[:300])] if error.message and not quote else []
        quotes += [Quote(pointer="/error/messages/0", quote=message[:300]) for message in error.messages[:1]]
        return Diagnosis(
            cause=cause,
            node=self.evidence.failing_node,
            confidence=confidence,
            summary=summary,
            evidence=tuple(quotes),
            suggestions=tuple(suggestion for suggestion in suggestions if suggestion is not None),
            source=f"request-{source}",
        )

    def change(self, title: LocalizedText, explanation: LocalizedText, edit: Edit, confidence: float = 0.8) -> Suggestion | None:
        """A change of the request; None where the edit can't be made."""
        patch = patch_for(self.evidence, edit)
        if patch is None:
            return None
        return Suggestion(title=title, explanation=explanation, kind="patch", patch=patch, confidence=confidence)


def advise(title: LocalizedText, explanation: LocalizedText, confidence: float = 0.6) -> Suggestion:
    """What a person can do."""
    return Suggestion(title=title, explanation=explanation, kind="manual", confidence=confidence)


def words(en: str, ar: str, **values: str | int) -> LocalizedText:
    """The same words in both languages, with their values."""
    if not values:
        return LocalizedText(en=en, ar=ar)
    isolated = {name: f"\u2068{value}\u2069" for name, value in values.items()}
    return LocalizedText(en=en.format_map(values), ar=ar.format_map(isolated))
