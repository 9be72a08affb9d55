"""From a ``RequestDefinition`` and values to what is sent: ``prepare`` fills in, ``preview`` shows, ``Mask`` hides secrets."""

from hub.http_builder.rendering.masking import Mask
from hub.http_builder.rendering.oauth import TokenError
from hub.http_builder.rendering.placeholders import find_names, find_names_of_tests, is_expression
from hub.http_builder.rendering.prepare import Prepared, find_unresolved, prepare
from hub.http_builder.rendering.preview import Preview, preview, preview_definition
from hub.http_builder.rendering.problems import Problem, RenderError
from hub.http_builder.rendering.sending import Send, authenticate
from hub.http_builder.rendering.tokens import has_token, store_token, token_for
from hub.http_builder.rendering.values import FileContent, Scope, Value, Values

__all__ = [
    "FileContent",
    "Mask",
    "Prepared",
    "Preview",
    "Problem",
    "RenderError",
    "Scope",
    "Send",
    "TokenError",
    "Value",
    "Values",
    "authenticate",
    "find_names",
    "find_names_of_tests",
    "find_unresolved",
    "has_token",
    "is_expression",
    "prepare",
    "preview",
    "preview_definition",
    "store_token",
    "token_for",
]
