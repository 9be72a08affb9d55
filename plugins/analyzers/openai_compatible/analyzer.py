"""The model analyzer: asks one question, reads the answer, and believes of it only what the evidence bears out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from hub.plugin_api import (
    Cause,
    Diagnosis,
    Evidence,
    LocalizedText,
    ModelListener,
    ModelQuestion,
    ModelReading,
    ModelReply,
    Quote,
    Suggestion,
    brief_of,
    read_settings,
)
from plugins.analyzers.openai_compatible import failures
from plugins.analyzers.openai_compatible.answer import Answer, Unreadable, answer_schema, read_answer
from plugins.analyzers.openai_compatible.edits import EditRefused, compile_edits
from plugins.analyzers.openai_compatible.failures import Refusal
from plugins.analyzers.openai_compatible.hidden_text import instructs, visible, visible_json
from plugins.analyzers.openai_compatible.options import PLUGIN, Options, estimate_tokens
from plugins.analyzers.openai_compatible.prompt import (
    PROMPT_VERSION,
    first_messages,
    response_format,
    second_messages,
    system_prompt,
)

if TYPE_CHECKING:
    from plugins.analyzers.openai_compatible.client import Chat

#: What a stated confidence of 1 is worth before anything was learned about the model: stated numbers saturate near the top.
_PRIOR_CAUSE, _PRIOR_FIX = 0.6, 0.4
#: Without a single quote that stands in the evidence.
_UNFOUNDED = 0.3
_SHORTEST_QUOTE = 4
_MOST_BRIEF_TOKENS = 8000
#: Room for the schema in words, the mark and the second round.
_ALLOWANCE_TOKENS = 200

_SUSPICION = LocalizedText(
    en="The data contains words that speak to a model, or hidden text. The model's answer is shown, but changes nothing.",
    ar="تحتوي البيانات على كلام موجّه إلى نموذج أو نص مخفي. تُعرض إجابة النموذج لكنها لا تغيّر شيئًا.",
)
_ADVICE = LocalizedText(en="What the model advises", ar="ما ينصح به النموذج")


class OpenAiCompatibleAnalyzer:
    """Asks the server that an operator has set. Network only in ``ask``."""

    name = PLUGIN

    def identity(self) -> str | None:
        """The model and the prompt's version; None until an operator has set a server and switched it on."""
        options = _options()
        return f"{options.model}/{PROMPT_VERSION}" if options.is_complete else None

    def takes_over(self, diagnosis: Diagnosis) -> bool:
        """Whether the rules left the cause open, and the operator wants such failures asked about without being told to."""
        options = _options()
        return options.automatic and (diagnosis.cause is Cause.UNKNOWN or diagnosis.confidence < options.threshold)

    def prepare(self, evidence: Evidence) -> ModelQuestion:
        """The question, as long as the model's context allows."""
        options = _options()
        system = system_prompt(options.json_mode)
        room = options.most_input_tokens - estimate_tokens(system) - _ALLOWANCE_TOKENS
        most = max(500, min(_MOST_BRIEF_TOKENS, room))
        raw = json.loads(brief_of(evidence, mask_personal=options.masks_personal, most_tokens=most).text())
        brief = _as_text(visible_json(raw))
        key = json.dumps([PLUGIN, options.base_url, options.model, options.json_mode, PROMPT_VERSION, system, brief])
        return ModelQuestion(
            model=options.model,
            cache_key=hashlib.sha256(key.encode()).hexdigest(),
            system=system,
            brief=brief,
            estimated_tokens=estimate_tokens(system + brief),
            suspicions=(_SUSPICION,) if instructs(raw) else (),
        )

    def ask(self, question: ModelQuestion, listener: ModelListener) -> ModelReply:
        """Ask, and once more where the answer cannot be read."""
        from plugins.analyzers.openai_compatible.client import Chat  # here, because the SDK takes long to import

        options = _options()
        chat = Chat(options, listener.sending)
        content, failure = None, None
        try:
            content = _converse(chat, question, listener)
        except Refusal as refusal:
            failure = refusal.failure
        finally:
            chat.close()
        return ModelReply(
            content=content,
            failure=failure,
            tokens_in=chat.usage.tokens_in,
            tokens_out=chat.usage.tokens_out,
            cost=options.cost(chat.usage.tokens_in, chat.usage.tokens_out),
            seconds=round(chat.deadline.elapsed, 3),
        )

    def read(self, evidence: Evidence, question: ModelQuestion, content: str) -> ModelReading:
        """The answer as a diagnosis: quotes that are not in the brief fall, edits that do not fit fall, confidence is capped."""
        restore = brief_of(evidence, mask_personal=True).restore
        answer = _with_personal(read_answer(content), restore)
        notes: list[LocalizedText] = list(question.suspicions)
        quotes = _founded_quotes(evidence, question.brief, answer, restore)
        if len(quotes) < len(answer.evidence):
            notes.append(_dropped_quotes(len(answer.evidence) - len(quotes)))
        founded = len(quotes) / len(answer.evidence) if quotes else _UNFOUNDED
        stated = min(max(answer.confidence, 0.0), 1.0) if answer.confidence == answer.confidence else 0.0
        node = answer.node if evidence.node(answer.node) else evidence.failing_node
        patch = _patch(evidence, answer, notes) if not question.suspicions else None
        summary = _localized(answer.explanation_en, answer.explanation_ar)
        diagnosis = Diagnosis(
            cause=answer.cause,
            node=node,
            confidence=round(stated * founded * _PRIOR_CAUSE, 3),
            summary=summary,
            evidence=quotes,
            suggestions=_suggestions(answer, patch, round(stated * founded * _PRIOR_FIX, 3)),
            source=f"{question.model}/{PROMPT_VERSION}",
        )
        return ModelReading(diagnosis=diagnosis, notes=tuple(notes))


def _converse(chat: Chat, question: ModelQuestion, listener: ModelListener) -> str:
    """The text of an answer that can be read; one that cannot may be written again once."""
    options = chat.options
    form = response_format(options.json_mode, "answer", answer_schema(bounded=options.bounded_schema))
    messages = first_messages(question.system, question.brief)
    for stage in ("waiting", "asking-again"):
        listener.stage(stage)
        said = chat.complete(messages, form)
        try:
            read_answer(said)
        except Unreadable as error:
            messages = second_messages(messages, said, error.problems)
        else:
            return said
    raise Refusal(failures.UNREADABLE)


def _options() -> Options:
    return Options.from_values(read_settings(PLUGIN))


def _as_text(brief: dict[str, Any]) -> str:
    """JSON with one line a part, as the hub writes it."""
    lines = (f"{json.dumps(key)}: {json.dumps(part, ensure_ascii=False, separators=(',', ':'))}" for key, part in brief.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def _with_personal(answer: Answer, restore: Callable[[str], str]) -> Answer:
    """The answer with masked personal data put back in its prose; never in an edit."""
    prose = ("explanation_en", "explanation_ar", "fix_title_en", "fix_title_ar", "fix_en", "fix_ar")
    return answer.model_copy(update={name: restore(getattr(answer, name)) for name in prose})


def _localized(en: str, ar: str) -> LocalizedText:
    """Both languages, as a reader sees them; the English words stand in where a model has no Arabic."""
    english = visible(en).strip()
    return LocalizedText(en=english, ar=visible(ar).strip() or english)


def _patch(evidence: Evidence, answer: Answer, notes: list[LocalizedText]) -> tuple[dict[str, Any], ...] | None:
    if not answer.edits or answer.cause is Cause.UNKNOWN:
        return None
    try:
        return compile_edits(evidence.workflow, answer.edits) or None
    except EditRefused as refused:
        notes.append(
            LocalizedText(
                en=f"The model's change was left out, because it does not fit the workflow: {visible(str(refused))[:200]}.",
                ar=f"حُذف التغيير الذي اقترحه النموذج لأنه لا يطابق سير العمل: ⁨{visible(str(refused))[:200]}⁩.",
            )
        )
        return None


def _suggestions(answer: Answer, patch: tuple[dict[str, Any], ...] | None, confidence: float) -> tuple[Suggestion, ...]:
    explanation = _localized(answer.fix_en or answer.explanation_en, answer.fix_ar or answer.explanation_ar)
    if not answer.fix_en.strip() and patch is None:
        return ()
    title = _localized(answer.fix_title_en, answer.fix_title_ar) if answer.fix_title_en.strip() else _ADVICE
    kind = "patch" if patch else "manual"
    return (Suggestion(title=title, explanation=explanation, kind=kind, patch=patch, confidence=confidence),)


def _dropped_quotes(count: int) -> LocalizedText:
    return LocalizedText(
        en=f"Quotes of the model that are not in what it was given, and were left out: {count}.",
        ar=f"عدد الاقتباسات التي ليست في ما أُعطي للنموذج فحُذفت: {count}.",
    )


# --- Quotes --------------------------------------------------------------------------------------------------------

#: Where the parts of the brief come from.
_PLACES = {"error": "/error", "input": "/input_items", "node": "/workflow/nodes", "upstream": "/node_data"}


def _founded_quotes(evidence: Evidence, brief: str, answer: Answer, restore: Callable[[str], str]) -> tuple[Quote, ...]:
    """The quotes that stand in the brief, as JSON or as the text that JSON means, each with its place in the evidence."""
    parts = json.loads(brief)
    places = list(_leaves(evidence.model_dump(mode="json", include={"error", "input_items", "resolved_parameters", "workflow"})))
    found = []
    for said in answer.evidence:
        quote = said.quote.strip()
        part = next((name for name, value in parts.items() if _holds(value, quote)), None)
        if len(quote) >= _SHORTEST_QUOTE and part is not None:
            quote = restore(quote)
            pointer = next((pointer for pointer, text in places if quote in text), _PLACES.get(part, f"/{part}"))
            found.append(Quote(pointer=pointer, quote=quote))
    return tuple(dict.fromkeys(found))


def _holds(value: Any, quote: str) -> bool:
    as_json = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return quote in as_json or any(quote in text for _, text in _leaves(value))


def _leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in entries:
            yield from _leaves(entry, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
