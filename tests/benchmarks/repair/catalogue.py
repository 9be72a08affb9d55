"""The kinds of failure that the cases stand for, by the numbers of the project's catalogue of n8n failures."""

from __future__ import annotations

#: Kinds that were seen on a real n8n. A case names those that it stands for in ``kind``.
SEEN = frozenset({*range(1, 11), *range(12, 32), *range(33, 65), 68, 69, 70, 79, 80, 81})

#: Kinds of which no case can be made here, and why.
NOT_COVERABLE = {
    39: "an endless loop keeps a core busy until the task runner's limit of five minutes",
    58: "the process has to die, and would take the cases beside it along",
    59: "a person cancelled the run; nothing is wrong",
    70: "the run never ends, so there is no failed execution",
    79: "n8n refuses to publish; there is no execution",
    80: "n8n refuses to publish; there is no execution",
}
