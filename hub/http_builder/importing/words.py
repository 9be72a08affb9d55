"""Refusals and notes of importers and exporters in words, in the reader's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from hub.contracts.http import Note
from hub.http_builder.importing import document_words
from hub.http_builder.importing.results import ImportRefused, ImportResult
from hub.http_builder.n8n.words import NOTES as N8N_NOTES

#: What people call what they import, by kind or by kind and variant. A version stands behind it.
_FORMATS: dict[str, Any] = {
    "har": "HAR",
    "postman": lazy_gettext("Postman collection"),
    "postman environment": lazy_gettext("Postman environment"),
    "insomnia": lazy_gettext("Insomnia export"),
    "openapi": "OpenAPI",
    "openapi 2.0": "Swagger 2.0",
    "bruno": lazy_gettext("Bruno collection"),
    "curl": lazy_gettext("cURL command"),
    "curl powershell": lazy_gettext("PowerShell command"),
    "n8n": lazy_gettext("n8n node"),
}
_REFUSALS: dict[str, Any] = {
    # Any format
    "empty": lazy_gettext("There is nothing to import. Paste a command or choose a file."),
    "too-large": lazy_gettext("The text is too large: the limit is %(limit)s."),
    "unknown-format": lazy_gettext("This is no format that can be imported."),
    "no-requests": lazy_gettext("There is no request in this %(format)s text."),
    "too-many-requests": lazy_gettext("There are too many requests: at most %(limit)s are imported at once."),
    # Documents
    # n8n
    "n8n-no-json": lazy_gettext("This is no JSON. Copy the nodes in n8n's editor and paste them here."),
    "n8n-too-many": lazy_gettext("These are more than %(limit)s nodes. Import them in parts."),
    **document_words.REFUSALS,
    "too-deep": lazy_gettext("The text is nested too deeply: at most %(limit)s levels are read."),
    # cURL
    "not-a-command": lazy_gettext("This is no cURL command."),
    "no-url": lazy_gettext("The command names no address."),
    "not-http": lazy_gettext("Only http and https addresses can be imported, not %(scheme)s."),
    "method-unknown": lazy_gettext("The method %(method)s can't be sent."),
    "quote-open": lazy_gettext("A quote is not closed: %(quote)s. Copy the whole command."),
}

_NOTES: dict[str, Any] = {
    # Any importer
    "file-needed": lazy_gettext("Choose the file “%(name)s” before sending; files are never read from the server."),
    # cURL: the shell
    "command-substitution": lazy_gettext("Nothing is run: give the variable %(name)s a value instead of the command."),
    "cut-at-ampersand": lazy_gettext("The shell ends the command at “&”. Put the address in quotes."),
    "command-ignored": lazy_gettext("The command “%(command)s” is no request and was left out."),
    "command-refused": lazy_gettext("One of the commands could not be imported (%(reason)s)."),
    # cURL: options
    "option-equals": lazy_gettext("cURL itself refuses %(option)s with an equals sign; it was read with a space."),
    "option-unknown": lazy_gettext("The option %(option)s is unknown and was left out."),
    "option-ignored": lazy_gettext("The option %(option)s has no counterpart here and was left out."),
    "option-without-value": lazy_gettext("The option %(option)s lacks its value and was left out."),
    "header-file": lazy_gettext("Headers in a file are not read."),
    "header-invalid": lazy_gettext("The header “%(header)s” has no colon and is not sent."),
    "header-removed": lazy_gettext("The header %(name)s is always sent."),
    "cookie-file": lazy_gettext("Cookies in a file are not read."),
    "method-case": lazy_gettext("The method %(method)s is sent in capital letters."),
    "url-glob": lazy_gettext("cURL would make several addresses of the brackets; here they stay as they are."),
    "json-as-form": lazy_gettext("The command sends JSON as a form. Most services want the content type application/json."),
    "file-among-data": lazy_gettext("The file “%(name)s” stands among other data and was left out."),
    "form-invalid": lazy_gettext("The form field “%(field)s” has no equals sign and was left out."),
    "form-several-files": lazy_gettext("The files of the field “%(field)s” are sent as fields of their own."),
    "form-text-of-file": lazy_gettext("The field “%(field)s” is sent as a file: “%(name)s”."),
    "form-parameter": lazy_gettext("The part's “%(name)s” was left out."),
    "password-missing": lazy_gettext("The command asks for the password: set the variable PASSWORD."),
    "auth-unsupported": lazy_gettext("%(name)s authentication is not supported."),
    "auth-any": lazy_gettext("cURL would ask the server how to sign in; here it is Basic."),
    "location-trusted": lazy_gettext("Secrets are never sent on to another host."),
    "number-changed": lazy_gettext("%(option)s was set to %(value)s."),
    "powershell-value": lazy_gettext("The value of %(name)s is made by PowerShell and was left out."),
    # Exporters
    **N8N_NOTES,
    "secret-left-out": lazy_gettext("The secret is not written down: set the environment variable %(name)s."),
    **document_words.NOTES,
    "variable-needed": lazy_gettext("Set the environment variable %(name)s first."),
    "variable-as-is": lazy_gettext("The value of %(name)s is put in as it is: encode it where needed."),
    "made-at-export": lazy_gettext("Times and random ids were made at export and do not change."),
    "token-needed": lazy_gettext("Get an access token first and set it as %(name)s."),
    "hmac-left-out": lazy_gettext("The signature in the header %(header)s was left out."),
    "auth-left-out": lazy_gettext("%(name)s authentication can't be written here and was left out."),
    "package-needed": lazy_gettext("Install the package %(name)s."),
    "file-beside": lazy_gettext("Put the file “%(name)s” beside it."),
    "form-name": lazy_gettext("cURL can't send the field name “%(name)s” because of its equals sign."),
    "form-part-changed": lazy_gettext("The field “%(name)s” is sent a little differently."),
    "header-joined": lazy_gettext("The header %(name)s is sent once, its values joined."),
    "header-not-latin": lazy_gettext("The header %(name)s has letters that fetch does not send."),
    "body-left-out": lazy_gettext("fetch sends no body with %(method)s."),
    "body-with-head": lazy_gettext("cURL waits for an answer that HEAD never has."),
    "tls-checked": lazy_gettext("fetch always checks the certificate."),
    "path-resolved": lazy_gettext("%(tool)s takes “.” and “..” out of the path."),
    "powershell-quotes": lazy_gettext("Written for Windows PowerShell 5.1, which passes quotes to programs in its own way."),
}


def describe_format(result: ImportResult) -> str:
    """What was read, such as "OpenAPI 3.1" or "cURL command"."""
    named = f"{result.kind} {result.variant}"
    return str(_FORMATS[named]) if named in _FORMATS else f"{_FORMATS[result.kind]} {result.variant}".strip()


def describe_refusal(refused: ImportRefused) -> str:
    """Why a text was not imported, and what to do."""
    return _fill(_REFUSALS, refused.code, refused.details)


def describe_note(note: Note) -> str:
    """What was left out or changed."""
    return _fill(_NOTES, note.code, note.details)


def _fill(words: Mapping[str, Any], code: str, details: Mapping[str, str | int]) -> str:
    found = words.get(code)
    return code if found is None else str(found) % defaultdict(str, details)
