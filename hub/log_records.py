"""Lines of the log that nobody outside can forge: what is put into a message stays on its line."""

from __future__ import annotations

import logging
import re
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class SafeRecord(logging.LogRecord):
    """A record whose message shows control characters of its values as ``\\n``, ``\\x1b`` and so on."""

    def getMessage(self) -> str:
        """The message on one line, but for the line ends of the code's own text."""
        if not self.args:
            return str(self.msg)
        values: Any = self.args
        safe = (
            {name: _escape(value) for name, value in values.items()} if isinstance(values, dict) else tuple(map(_escape, values))
        )
        return str(self.msg) % safe


def _escape(value: Any) -> Any:
    if isinstance(value, (int, float)):
        return value
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), str(value))


def install() -> None:
    """Make every record of this process one of these."""
    logging.setLogRecordFactory(SafeRecord)
