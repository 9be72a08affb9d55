"""The catalogue: every known failure, by where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.analyzers.rules.catalogue import (
    code,
    data,
    expressions,
    http_request,
    http_status,
    network,
    setup,
    workflow,
)
from plugins.analyzers.rules.rule import Rule

RULES: Sequence[Rule] = (
    *http_status.RULES,
    *http_request.RULES,
    *network.RULES,
    *expressions.RULES,
    *data.RULES,
    *code.RULES,
    *workflow.RULES,
    *setup.RULES,
)
