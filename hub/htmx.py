"""Pages and their fragments: one template, one view, one URL for both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import current_app, redirect, render_template, request, url_for
from flask.wrappers import Response as FlaskResponse
from werkzeug.wrappers import Response


def is_fragment_request() -> bool:
    """Whether htmx asks for a part: not for boosted links, and not when the browser goes back in history."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def render(template: str, *, block: str | None = None, **context: Any) -> str:
    """The whole page, or only ``block`` of it where htmx asked for a part. The view names the block, never the client."""
    if block is None or not is_fragment_request():
        return render_template(template, **context)
    current_app.update_template_context(context)
    page = current_app.jinja_env.get_template(template)
    return "".join(page.blocks[block](page.new_context(context)))


def go_to(endpoint: str, **values: Any) -> Response:
    """``go_to_path`` by the name of the page."""
    return go_to_path(url_for(endpoint, **values))


def go_to_path(path: str) -> Response:
    """See other: a redirect that a plain form follows with GET, and that htmx follows as a whole page."""
    if request.headers.get("HX-Request") == "true":
        return FlaskResponse(status=204, headers={"HX-Redirect": path})
    return redirect(path, code=303)


def own_path(target: str | None) -> str:
    """``target`` where it is a path of this site, else ``/``: a ``next`` never leads to another host."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return "/"
    if "\\" in target or not target.isprintable():
        return "/"
    return target


def given(name: str) -> str:
    """A value of the form that was sent, or of the address where a page is only asked for; empty text where there is none."""
    return (request.form if request.method == "POST" else request.args).get(name, "")


def read_filters(names: Iterable[str]) -> dict[str, str]:
    """The named filters of a list from the address; empty text for one that is not set."""
    return {name: request.args.get(name, "").strip() for name in names}


def filtered_url(path: str, filters: Mapping[str, str], cursor: str | None = None) -> str:
    """Address of a list with its filters, empty ones left out, at ``cursor``."""
    values = {name: value for name, value in filters.items() if value}
    if cursor:
        values["cursor"] = cursor
    return f"{path}?{urlencode(values)}" if values else path
