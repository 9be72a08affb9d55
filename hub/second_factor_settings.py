"""Who must have a second factor."""

from __future__ import annotations

from hub.settings import Setting, as_list

OPERATORS = "operators"
#: The plans of ``hub.accounts.models.Plan``, in lower case.
_PLANS = ("free", "pro", "team", "enterprise")


def as_people(text: str) -> frozenset[str]:
    """Plans, and ``operators``, comma-separated."""
    words = frozenset(word.lower() for word in as_list(text))
    if unknown := sorted(words - {OPERATORS, *_PLANS}):
        raise ValueError(f"holds {', '.join(unknown)}; it takes {OPERATORS}, {', '.join(_PLANS)}")
    return words


SECOND_FACTOR_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "HUB_REQUIRE_SECOND_FACTOR",
        "",
        "Who must have a second factor to get in: operators and plans (free, pro, team, enterprise), comma-separated.",
        as_people,
    ),
)
