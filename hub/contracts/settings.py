"""Settings that a plugin declares and an operator fills in on a page of the hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.contracts.analysis import LocalizedText

SettingValue = str | int | float | bool | None
SettingValues = Mapping[str, SettingValue]
"""Values of settings by the field's name."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(_Frozen):
    """One entry of a ``choice`` field."""

    value: str
    label: LocalizedText


class SettingField(_Frozen):
    """One typed field. A ``secret`` is write-only: the page never shows what is stored."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Literal["text", "secret", "number", "choice", "switch"]
    label: LocalizedText
    help: LocalizedText | None = None
    #: What holds until an operator says something else. None: no value.
    default: SettingValue = None
    required: bool = False
    #: Bounds of a ``number``.
    minimum: float | None = None
    maximum: float | None = None
    #: Whether a ``number`` has to be whole.
    whole: bool = False
    max_length: int = 500
    choices: tuple[Choice, ...] = ()
    #: Name of another field: where that one changes, this secret has to be typed anew, so that it is sent nowhere else.
    bound_to: str | None = None


class CheckLine(_Frozen):
    """One finding of a check."""

    state: Literal["good", "warn", "bad", "info"]
    text: LocalizedText


class CheckReport(_Frozen):
    """What a check found, in the order in which it should be read."""

    ok: bool
    lines: tuple[CheckLine, ...]


def _no_problems(_values: SettingValues) -> Mapping[str, LocalizedText]:
    return {}


@dataclass(frozen=True, slots=True)
class PluginSettings:
    """The fields of one plugin, and how they are judged.

    ``validate`` answers messages by field for values that have the right types; nothing is stored while there is one.
    ``check`` tries stored values out (a connection test); it runs in the worker and may take a minute.
    """

    title: LocalizedText
    fields: tuple[SettingField, ...]
    validate: Callable[[SettingValues], Mapping[str, LocalizedText]] = _no_problems
    check: Callable[[SettingValues], CheckReport] | None = None
