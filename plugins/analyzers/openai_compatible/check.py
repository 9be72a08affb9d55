"""The connection test: which model answers, in which form, and whether the server reads the whole question."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from hub.plugin_api import CheckLine, CheckReport, LocalizedText, ModelFailure, SettingValues
from plugins.analyzers.openai_compatible.answer import Unreadable, read_object
from plugins.analyzers.openai_compatible.failures import Refusal
from plugins.analyzers.openai_compatible.options import Options, estimate_tokens
from plugins.analyzers.openai_compatible.prompt import SYSTEM, response_format

if TYPE_CHECKING:
    from plugins.analyzers.openai_compatible.client import Chat, Messages

_MODES = ("schema", "object", "none")
_MODE_WORDS = {
    "schema": LocalizedText(en="JSON schema", ar="مخطط JSON"),
    "object": LocalizedText(en="JSON object", ar="كائن JSON"),
    "none": LocalizedText(en="Only by words", ar="بالكلام فقط"),
}
#: The longest question that the plugin ever sends: the brief and the prompt.
_LONGEST_QUESTION = 8000 + estimate_tokens(SYSTEM)
#: Even English prose has fewer characters a token; fewer tokens than this mean that a part was not read.
_MOST_CHARACTERS_A_TOKEN = 9
#: Failures that another form of answer may cure.
_FORM_FAILURES = frozenset(("bad-request", "empty", "cut-off", "refused"))
_SCHEMA = {
    "type": "object",
    "properties": {"code": {"type": "string"}, "readable": {"type": "boolean"}},
    "required": ["code", "readable"],
    "additionalProperties": False,
}


class Echo(BaseModel):
    """What a server answers to the test."""

    code: str
    readable: bool


def check_connection(values: SettingValues) -> CheckReport:
    """Try the settings out with one to three short answers to a question as long as a real one can be."""
    from plugins.analyzers.openai_compatible.client import Chat  # here, because the SDK takes long to import

    options = replace(Options.from_values(values), max_output_tokens=1000)
    if not options.base_url or not options.model:
        return CheckReport(ok=False, lines=(_line("bad", "Address and model are needed.", "العنوان والنموذج مطلوبان."),))
    lines: list[CheckLine] = []
    talk = Chat(options, _ignore)
    try:
        lines += _models(talk, options)
        ok = _try_modes(talk, options, lines)
    finally:
        talk.close()
    if ok and not options.enabled:
        lines.append(_line("info", "The model is switched off: nobody can ask it yet.", "النموذج متوقف: لا يمكن لأحد سؤاله بعد."))
    return CheckReport(ok=ok, lines=tuple(lines))


def _ignore(_body: str) -> None:
    """Nothing of a test is kept."""


def _models(talk: Chat, options: Options) -> Iterator[CheckLine]:
    """Whether the server lists the model; many servers list none, so that is no failure."""
    try:
        names = talk.list_models()
    except Refusal:
        return
    if names and options.model not in names:
        some = ", ".join(names[:8])
        yield _line(
            "warn",
            f"The server does not list this model. It lists {len(names)}: {some}",
            f"لا يذكر الخادم هذا النموذج. عدد ما يذكره {len(names)}: ⁨{some}⁩",
        )


def _try_modes(talk: Chat, options: Options, lines: list[CheckLine]) -> bool:
    failures: list[tuple[str, ModelFailure | None]] = []
    for mode in _MODES:
        canary, messages = _question(options)
        started, tokens = time.monotonic(), talk.usage.tokens_in or 0
        try:
            said = talk.complete(messages, response_format(mode, "test", _SCHEMA))
            echo = read_object(said, Echo.model_validate)
        except Refusal as refusal:
            failures.append((mode, refusal.failure))
            if refusal.failure.code not in _FORM_FAILURES:
                break
        except (Unreadable, ValidationError):
            failures.append((mode, None))
        else:
            read = (talk.usage.tokens_in or 0) - tokens
            lines += _verdict(talk, options, mode, seconds=time.monotonic() - started)
            whole = _reads_all(lines, echo.code == canary, read, len(messages[1]["content"]))
            return whole and _MODES.index(mode) <= _MODES.index(options.json_mode)
    lines += _failed(failures)
    return False


def _question(options: Options) -> tuple[str, Messages]:
    """A question with a code at its very beginning, about as long as a real one may be."""
    canary = secrets.token_hex(4)
    budget = min(options.most_input_tokens - 300, _LONGEST_QUESTION)
    line = "Order {number:05d} was paid, packed and sent to the customer on time.\n"
    filler = "".join(line.format(number=number) for number in range(budget * 3 // len(line.format(number=0))))
    system = f"The code of this record is {canary}. Answer with JSON only."
    task = (
        'Answer with the JSON object {"code": ..., "readable": ...}: code is the code of this record, which was named at '
        "the very beginning; readable is true if the orders above can be read."
    )
    return canary, [{"role": "system", "content": system}, {"role": "user", "content": f"{filler}\n{task}"}]


def _verdict(talk: Chat, options: Options, mode: str, *, seconds: float) -> Iterator[CheckLine]:
    words, chosen = _MODE_WORDS[mode], _MODE_WORDS[options.json_mode]
    yield _line(
        "good",
        f"The model answers in form: {words.en}. It took {seconds:.1f} s.",
        f"يجيب النموذج بالصيغة: {words.ar}. استغرق {seconds:.1f} ثانية.",
    )
    if mode != options.json_mode:
        weaker = _MODES.index(mode) > _MODES.index(options.json_mode)
        yield _line(
            "bad" if weaker else "info",
            f"The settings say “{chosen.en}”. Choose “{words.en}”{'' if weaker else ': it is stricter'}.",
            f"الإعدادات تقول «{chosen.ar}». اختر «{words.ar}»{'' if weaker else ' فهو أدق'}.",
        )
    if talk.usage.tokens_in is None:
        yield _line(
            "warn",
            "The server does not count tokens: usage is estimated, and costs are not shown.",
            "لا يعدّ الخادم الرموز: يُقدَّر الاستهلاك ولا تُعرض التكلفة.",
        )
    else:
        cost = options.cost(talk.usage.tokens_in, talk.usage.tokens_out)
        price = f" ({cost:.4f})" if cost is not None else ""
        yield _line(
            "info",
            f"The test used {talk.usage.tokens_in:,} tokens sent and {talk.usage.tokens_out:,} received{price}.",
            f"استهلك الاختبار {talk.usage.tokens_in:,} رمزًا مُرسلًا و{talk.usage.tokens_out:,} مُستلمًا{price}.",
        )


def _reads_all(lines: list[CheckLine], echoed: bool, tokens: int, characters: int) -> bool:
    """Whether the server reads the beginning of a long question."""
    if echoed and not 0 < tokens < characters / _MOST_CHARACTERS_A_TOKEN:
        return True
    counted = f" ({tokens:,} / {estimate_tokens('x' * characters):,})" if tokens else ""
    if echoed:
        lines.append(
            _line(
                "warn",
                f"The server counts surprisingly few tokens{counted}. It may have left out the middle of the question.",
                f"يعدّ الخادم رموزًا أقل من المتوقع{counted}. ربما حذف وسط السؤال.",
            )
        )
        return True
    lines.append(
        _line(
            "bad",
            f"The model does not know the beginning of a long question{counted}: the server cuts it off, "
            "or the model is too small. Lower “Context of the model” here, "
            "or raise it on the server (Ollama: OLLAMA_CONTEXT_LENGTH).",
            f"لا يعرف النموذج بداية سؤال طويل{counted}: يحذفها الخادم، أو أن النموذج أصغر من ذلك. "
            "خفّض «سياق النموذج» هنا، أو زده على الخادم (في Ollama: ‏OLLAMA_CONTEXT_LENGTH).",
        )
    )
    return False


def _failed(failures: list[tuple[str, ModelFailure | None]]) -> Iterator[CheckLine]:
    """One line for each form that was tried, equal words once."""
    said: set[str] = set()
    for mode, failure in failures:
        words = _MODE_WORDS[mode]
        if failure is None:
            yield _line("bad", f"{words.en}: the answer was no such JSON.", f"{words.ar}: لم تكن الإجابة بصيغة JSON المطلوبة.")
        elif failure.code not in said:
            said.add(failure.code)
            yield CheckLine(state="bad", text=failure.words)


def _line(state: str, en: str, ar: str) -> CheckLine:
    return CheckLine.model_validate({"state": state, "text": LocalizedText(en=en, ar=ar)})
