"""What a model analyzer gets and gives: it explains what the rules leave, over the network, in the worker."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from hub.contracts.analysis import Diagnosis, Evidence, LocalizedText


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelQuestion(_Frozen):
    """A question that is ready to be sent. Nothing in it is secret: the evidence was redacted before."""

    model: str
    #: Equal keys stand for the same question to the same model with the same prompt; the answer can be used again.
    cache_key: str
    system: str
    #: The picture of the failure, as JSON text.
    brief: str
    estimated_tokens: int
    #: Why the answer may explain, but not change anything: traces of instructions in the data.
    suspicions: tuple[LocalizedText, ...] = ()


class ModelFailure(_Frozen):
    """Why there is no answer. ``code`` is for programs, ``words`` say what to do."""

    code: str
    words: LocalizedText


class ModelReply(_Frozen):
    """What came back. ``content`` is the text of an answer that could be read; else ``failure`` says why there is none."""

    content: str | None = None
    failure: ModelFailure | None = None
    #: Over all rounds. None where the server counts none.
    tokens_in: int | None = None
    tokens_out: int | None = None
    #: In the currency of the operator's price list; None without prices.
    cost: float | None = Field(default=None, ge=0)
    seconds: float = 0.0


class ModelReading(_Frozen):
    """An answer in the form of a diagnosis, and what was left out of it and why."""

    diagnosis: Diagnosis
    notes: tuple[LocalizedText, ...] = ()


class ModelListener(Protocol):
    """Told by ``ask`` what it is about to do."""

    def stage(self, name: str) -> None:
        """``waiting`` (for the model) or ``asking-again`` (the answer could not be read)."""
        ...

    def sending(self, body: str) -> None:
        """A request with exactly this body leaves now. May raise to stop it."""
        ...


class ModelAnalyzer(Protocol):
    """Asks a model. Called in the worker, with the app's context; only ``ask`` uses the network."""

    #: Unique among all enabled plugins' analyzers; kept with each analysis.
    name: str

    def identity(self) -> str | None:
        """Model and version of the prompt, e.g. "gpt-x/p1"; None until an operator has set it up and switched it on."""
        ...

    def takes_over(self, diagnosis: Diagnosis) -> bool:
        """Whether what the rules said leaves enough open to ask without being told to."""
        ...

    def prepare(self, evidence: Evidence) -> ModelQuestion:
        """The question about a failure."""
        ...

    def ask(self, question: ModelQuestion, listener: ModelListener) -> ModelReply:
        """Send it, within a deadline. Never raises for what a server does."""
        ...

    def read(self, evidence: Evidence, question: ModelQuestion, content: str) -> ModelReading:
        """Judge an answer against the evidence. Pure, so that a kept answer can be read again."""
        ...
