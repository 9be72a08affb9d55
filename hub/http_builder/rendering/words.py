"""Problems, notes and token errors in words for people: where, what, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _

from hub.contracts.http import Note
from hub.egress import describe_egress_error
from hub.http_builder.rendering.problems import Problem

Details = Mapping[str, Any]


def describe_problem(problem: Problem) -> str:
    """One sentence or two, with the place in front."""
    words = _PROBLEMS.get(problem.code)
    sentence = words(problem.details) if words else describe_egress_error(problem.code, problem.details)
    return _("%(place)s: %(sentence)s", place=describe_place(problem.place), sentence=sentence or problem.code)


def describe_note(note: Note) -> str:
    """What the person should know of a request that can be sent."""
    words = _NOTES.get(note.code)
    return words(note.details) if words else note.code


def describe_place(place: str) -> str:
    """A path in the definition as the builder's form calls it; rows count from 1."""
    head, _dot, rest = place.partition(".")
    number = next((int(part) + 1 for part in rest.split(".") if part.isdecimal()), None)
    if head == "params":
        return _("Parameter %(number)s", number=number)
    if head == "headers":
        return _("Header %(number)s", number=number)
    if head == "body":
        if number is not None:
            return _("Body, field %(number)s", number=number)
        return _("GraphQL variables") if rest == "variables" else _("Body")
    if head == "auth":
        field = _FIELDS.get(rest)
        return _("Authentication, %(field)s", field=field()) if field else _("Authentication")
    if head == "assertions":
        return _("Test %(number)s", number=number)
    return _("URL")


_FIELDS: dict[str, Callable[[], str]] = {
    "username": lambda: _("user name"),
    "password": lambda: _("password"),
    "token": lambda: _("token"),
    "prefix": lambda: _("prefix"),
    "name": lambda: _("name"),
    "value": lambda: _("value"),
    "token_url": lambda: _("token URL"),
    "authorization_url": lambda: _("authorization URL"),
    "client_id": lambda: _("client ID"),
    "client_secret": lambda: _("client secret"),
    "scope": lambda: _("scope"),
    "audience": lambda: _("audience"),
    "header_name": lambda: _("header"),
    "access_key_id": lambda: _("access key ID"),
    "secret_access_key": lambda: _("secret access key"),
    "session_token": lambda: _("session token"),
    "region": lambda: _("region"),
    "service": lambda: _("service"),
    "secret": lambda: _("secret"),
    "message": lambda: _("message"),
    "header": lambda: _("header"),
    "timestamp_header": lambda: _("timestamp header"),
}


def _json_invalid(details: Details) -> str:
    return _(
        "This is no JSON: line %(line)s, column %(column)s (%(reason)s).",
        line=details["line"],
        column=details["column"],
        reason=details["reason"],
    )


_PROBLEMS: dict[str, Callable[[Details], str]] = {
    "unresolved": lambda details: _(
        "The variable %(name)s has no value. Give it one in the request, in the active environment or in your variables.",
        name=_placeholder(details),
    ),
    "expression": lambda _details: _(
        "This is an expression of n8n. n8n works it out when the workflow runs; put a value here to send it from the hub."
    ),
    "url-missing": lambda _details: _("Enter the URL to send to."),
    "control-characters": lambda _details: _("A line break or control character stands in the URL. Take it out."),
    "host-characters": lambda details: _(
        "The value of %(name)s stands in the host name and has characters that no host has. For a value that is a whole "
        "address write the variable alone, without https:// in front.",
        name=_placeholder(details),
    ),
    "secret-in-host": lambda details: _(
        "The secret %(name)s stands in the host name, which everybody on the way can read.", name=_placeholder(details)
    ),
    "dot-segment": lambda _details: _("A value turns into “..” and would lead to another path."),
    "header-name": lambda _details: _("The name of a header must be one word of letters, digits and hyphens."),
    "header-line-break": lambda details: _(
        "The value of %(name)s has a line break or control character, which would begin another header.", name=details["name"]
    ),
    "header-metadata": lambda details: _(
        "%(name)s asks a cloud's metadata service for credentials. The hub never sends it.", name=details["name"]
    ),
    "json-invalid": _json_invalid,
    "json-no-object": lambda _details: _("The variables must be a JSON object, such as {\"id\": 1}."),
    "graphql-quote": lambda details: _(
        "The value of %(name)s has a quotation mark and stands in a block string. Pass it as a GraphQL variable.",
        name=_placeholder(details),
    ),
    "file-not-chosen": lambda _details: _("Choose a file."),
    "file-missing": lambda _details: _("The file is not there any more. Choose it again."),
    "body-too-large": lambda details: _("The body is larger than %(limit)s MB.", limit=f"{details['limit'] / 1_000_000:g}"),
    "auth-empty": lambda _details: _("This is empty."),
    "username-colon": lambda _details: _("A user name for Basic authentication can't have a colon."),
    "token-missing": lambda _details: _("There is no access token yet."),
    "secret-host": lambda details: _(
        "The secret %(name)s may go to %(allowed)s only, not to %(host)s. If that is right, add the host to the secret.",
        name=_placeholder(details),
        allowed=details["allowed"],
        host=details["host"],
    ),
    "secret-unbound": lambda details: _(
        "The secret %(name)s may go to no host yet. Add %(host)s to its hosts.", name=_placeholder(details), host=details["host"]
    ),
}  # fmt: skip


_NOTES: dict[str, Callable[[Details], str]] = {
    "scheme-assumed": lambda details: _("The URL names no scheme; %(scheme)s:// is used.", scheme=details["scheme"]),
    "slash-encoded": lambda details: _(
        "The slash in the value of %(name)s is sent as %%2F, because a value is one part of the path.", name=_placeholder(details)
    ),
    "header-left-out": lambda details: _(
        "The header %(name)s is left out: it belongs to the connection, and the hub sets it itself.", name=details["name"]
    ),
    "header-replaced": lambda details: _(
        "The header %(name)s that you wrote is replaced by the authentication's.", name=details["name"]
    ),
    "token-has-prefix": lambda details: _(
        "The token begins with “%(prefix)s” already, so the word is sent twice. Take it out of one of them.",
        prefix=details["prefix"],
    ),
    "token-will-be-fetched": lambda _details: _("An access token will be fetched before sending, unless a valid one is stored."),
    "json-invalid": _json_invalid,
    "secret-in-clear": lambda details: _(
        "A secret goes to %(host)s without encryption (http). Everybody on the way can read it.", host=details["host"]
    ),
}  # fmt: skip


def _placeholder(details: Details) -> str:
    return f"{{{{{details['name']}}}}}"


_REFUSED: dict[str, Callable[[], str]] = {
    "invalid_client": lambda: _("The service does not know this client, or its secret is wrong. Check client ID and secret."),
    "invalid_grant": lambda: _("The sign-in has expired or was taken back. Sign in again."),
    "unauthorized_client": lambda: _("The service does not allow this client this kind of sign-in. Change that in its settings."),
    "unsupported_grant_type": lambda: _("The service does not offer this kind of sign-in at this token URL."),
    "invalid_scope": lambda: _("The service does not know the scope, or does not give it to this client."),
    "invalid_request": lambda: _(
        "The service did not understand the request for a token. Check the token URL and where the client signs in."
    ),
    "access_denied": lambda: _("The sign-in was declined."),
}


def describe_token_error(code: str, details: Details) -> str:
    """Why there is no access token, and what to do."""
    if code == "refused":
        error = str(details.get("error", ""))
        sentence = _REFUSED[error]() if error in _REFUSED else _("The service gave no token: %(error)s.", error=error)
        description = str(details.get("description", ""))
        return _("%(sentence)s It says: %(description)s", sentence=sentence, description=description) if description else sentence
    if code == "status":
        return _("The token URL answered with status %(status)s. Check that it is the right one.", status=details["status"])
    if code == "no-token":
        return _("The token URL answered without an access token. Check that it is the right one.")
    if code == "unreachable":
        reason = describe_egress_error(str(details["egress"]), details) or str(details["egress"])
        return _("The token URL could not be asked. %(reason)s", reason=reason)
    if code == "expired":
        return _("The sign-in took too long. Begin it again.")
    if code == "state":
        return _("This answer belongs to no sign-in that was begun in this browser. Begin it again.")
    return _("Sign in at the service first: the request has no valid access token.")
