"""``hub request send``: one request through the same runner, without an account and without a database."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from hub.cli.run_printing import Trouble, print_problem, print_run
from hub.config import ConfigError, check_settings, read_environment
from hub.contracts.http import BinaryBody, HttpMethod, NoBody, Pair, RequestDefinition, RequestDraft, RequestSettings
from hub.egress import EgressPolicy, describe_egress_error
from hub.http_builder.rendering import FileContent, Values
from hub.http_builder.running.sending import send_unstored
from hub.http_builder.running.values import typed_values
from hub.http_builder.running.view import show_run
from hub.http_builder.secret_values import lift_secrets

_FILE = "data"
#: All that sending needs of the configuration: no key and no database.
_SETTINGS = ("HUB_ENV", "HUB_ALLOWED_ADDRESSES", "HUB_HOST", "HUB_PORT", "HUB_CA_FILE")


@click.command("send")
@click.argument("method")
@click.argument("url")
@click.option("-H", "--header", "headers", multiple=True, metavar="NAME: VALUE", help="A header; may be given several times.")
@click.option("-d", "--data", metavar="DATA", help="The body; @FILE reads a file, @- standard input.")
@click.option(
    "--json/--text",
    "as_json",
    default=None,
    help="Print the whole run as JSON, or why there is none as a problem document; or the answer to read. "
    "Left out: text on a terminal, JSON for programs.",
)
@click.option("--timeout", type=click.FloatRange(1, 120), default=30.0, show_default=True, help="Seconds for all of it.")
@click.option("--insecure", is_flag=True, help="Accept any certificate.")
@click.option("--no-redirects", is_flag=True, help="Show a redirect instead of following it.")
def send(
    method: str,
    url: str,
    headers: tuple[str, ...],
    data: str | None,
    as_json: bool | None,
    timeout: float,
    insecure: bool,
    no_redirects: bool,
) -> None:
    """Send METHOD to URL once, as the hub would: the same rules about addresses, redirects, secrets and sizes.

    DATA is sent as it is, as application/json where it is a JSON object or array, else as a form, unless a header says
    otherwise. Nothing is stored, and no account or database is needed. Secrets in headers are shown by a name.

    Exit code 0: there is an answer, whatever its status. 1: it was refused, or no answer came. 2: wrong usage.
    """
    as_json = not sys.stdout.isatty() if as_json is None else as_json
    content = _read(data)
    settings = RequestSettings(timeout_seconds=timeout, follow_redirects=not no_redirects, verify_tls=not insecure)
    rows = tuple(_header(text) for text in headers)
    body = NoBody() if content is None else BinaryBody(file_id=_FILE, content_type=_media_type(content))
    if method.upper() not in set(HttpMethod):
        print_problem(Trouble("bad-method", [describe_egress_error("bad-method", {}) or ""]), as_json=as_json)
        sys.exit(1)
    definition = RequestDefinition(method=HttpMethod(method.upper()), url=url, headers=rows, body=body, settings=settings)
    draft = lift_secrets(RequestDraft(name=url, definition=definition))
    values = Values(typed_values(draft.secrets, draft.definition, []))
    files = {} if content is None else {_FILE: FileContent(_FILE, "", content)}
    run = show_run(*send_unstored(draft.definition, values, _load_policy(), files=files))
    sys.exit(print_run(run, as_json=as_json))


def _read(data: str | None) -> bytes | None:
    if data is None or not data.startswith("@"):
        return data.encode("utf-8", "surrogateescape") if data is not None else None
    if data == "@-":
        return sys.stdin.buffer.read()
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{data[1:]} cannot be read: {error.strerror}.", param_hint="--data") from error


def _header(text: str) -> Pair:
    name, colon, value = text.partition(":")
    if not colon:
        raise click.BadParameter(f"{text!r} has no colon; write 'Name: value'.", param_hint="--header")
    return Pair(name=name.strip(), value=value.strip())


def _media_type(content: bytes) -> str:
    """JSON where it is an object or an array, else what HTML forms and cURL send."""
    try:
        is_json = isinstance(json.loads(content), dict | list)
    except (ValueError, RecursionError):
        is_json = False
    return "application/json" if is_json else "application/x-www-form-urlencoded"


def _load_policy() -> EgressPolicy:
    """The operator's policy. Only the settings that it needs are read."""
    found = {each.setting.name: each for each in check_settings(read_environment()) if each.setting.name in _SETTINGS}
    problems = [each.problem for each in found.values() if each.problem]
    if problems:
        raise ConfigError("; ".join(problems))
    environment, allowed, host, port, ca_file = (found[name].value for name in _SETTINGS)
    return EgressPolicy.of(allowed or (), environment == "development", host, port, ca_file)
