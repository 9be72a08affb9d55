"""The plugin's settings as typed values, and what follows from them."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hub.plugin_api import SettingValues

PLUGIN = "openai_compatible"
#: Servers that refuse ``maxLength`` in a schema. All others need it: a small model fills an unbounded text to the end.
_WITHOUT_BOUNDS = ("openai.com", "azure.com")
_CHARACTERS_A_TOKEN = 3


@dataclass(frozen=True, slots=True)
class Options:
    """Which server and model to ask, and how."""

    enabled: bool
    automatic: bool
    threshold: float
    base_url: str
    api_key: str | None
    model: str
    #: ``schema``, ``object`` or ``none``.
    json_mode: str
    #: ``max_completion_tokens``, ``max_tokens`` or ``none``.
    max_tokens_parameter: str
    max_output_tokens: int
    context_tokens: int
    temperature: float | None
    extra_body: dict[str, Any]
    #: Seconds for one question in all: waiting, retries and the second round.
    timeout: float
    price_in: float | None
    price_out: float | None
    mask_always: bool

    @classmethod
    def from_values(cls, values: SettingValues) -> Options:
        """The options in stored values. ``extra_body`` was checked when it was stored."""
        given: dict[str, Any] = dict(values)
        return cls(
            **{
                **given,
                "base_url": str(given["base_url"] or "").rstrip("/"),
                "model": str(given["model"] or ""),
                "extra_body": json.loads(given["extra_body"] or "{}"),
            }
        )

    @property
    def is_complete(self) -> bool:
        """Whether there is somebody to ask."""
        return bool(self.enabled and self.base_url and self.model)

    @property
    def host(self) -> str:
        """The server's name."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def is_remote(self) -> bool:
        """Whether the server may stand outside of the operator's own network. A name with a dot counts as remote."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return "." in self.host and not self.host.endswith((".localhost", ".local", ".internal", ".lan"))
        return not (address.is_private or address.is_loopback)

    @property
    def masks_personal(self) -> bool:
        """Whether personal data (addresses, telephone and card numbers) is masked before it is sent."""
        return self.mask_always or self.is_remote

    @property
    def bounded_schema(self) -> bool:
        """Whether the schema says how long texts may be."""
        return not self.host.endswith(_WITHOUT_BOUNDS)

    @property
    def most_input_tokens(self) -> int:
        """What is left of the context for all that is sent."""
        return self.context_tokens - self.max_output_tokens

    def cost(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        """The price of so many tokens; None where a price or a count is missing."""
        if self.price_in is None or self.price_out is None or tokens_in is None or tokens_out is None:
            return None
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1_000_000


def estimate_tokens(text: str) -> int:
    """An upper estimate that needs no vocabulary."""
    return -(-len(text) // _CHARACTERS_A_TOKEN)
