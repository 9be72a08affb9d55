"""Two answers that must look the same, without what differs each time."""

from __future__ import annotations

import re

from werkzeug.test import TestResponse

#: The token of a form, which changes every second, and the mark of the page's own scripts.
_CHANGING = re.compile(r'(value="|X-CSRFToken": ")[\w.-]{80,}"|nonce="[\w-]{22}"')


def comparable(answer: TestResponse, given: str) -> str:
    """The page without what was typed or asked for, and without what is another one each time."""
    return _CHANGING.sub("", answer.text.replace(given, ""))
