"""Pages of chains: the list, the form, and how a run goes."""

from __future__ import annotations

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.errors import HubError, Invalid
from hub.htmx import go_to, render
from hub.http_builder.running import chains
from hub.http_builder.running.chains import MAX_STEPS
from hub.http_builder.running.words import name_chain_state

bp = Blueprint("chains", __name__)

bp.add_app_template_global(name_chain_state, "name_chain_state")

#: Empty rows at the end of the form.
SPARE_ROWS = 2


@bp.get("/chains")
def index() -> ResponseReturnValue:
    """All chains of the person."""
    return render("chains/index.html", chains=chains.list_chains(current_actor()))


@bp.get("/chains/new")
def new() -> ResponseReturnValue:
    """The form of a new chain."""
    return _form(None, "", [])


@bp.post("/chains")
def create() -> ResponseReturnValue:
    """Make a chain, or arrange the form."""
    return _submit(None)


@bp.get("/chains/<chain_id>")
def edit(chain_id: str) -> ResponseReturnValue:
    """The form of a chain."""
    chain = chains.get_chain(current_actor(), chain_id)
    return _form(chain.id, chain.name, list(chain.steps))


@bp.post("/chains/<chain_id>")
def update(chain_id: str) -> ResponseReturnValue:
    """Change a chain, or arrange the form."""
    return _submit(chain_id)


@bp.post("/chains/<chain_id>/delete")
def delete(chain_id: str) -> ResponseReturnValue:
    """Delete a chain with the history of its runs."""
    chains.delete_chain(current_actor(), chain_id)
    flash(_("Deleted."), "success")
    return go_to("chains.index")


@bp.post("/chains/<chain_id>/run")
def run(chain_id: str) -> ResponseReturnValue:
    """Send all steps in order, and show how it goes."""
    return go_to("chains.show_run", chain_run_id=chains.start_chain(current_actor(), chain_id).id)


@bp.get("/chain-runs/<chain_run_id>")
def show_run(chain_run_id: str) -> ResponseReturnValue:
    """How a run of a chain goes; asks again while it is under way."""
    return render("chains/run.html", block="progress", progress=chains.show_chain_run(current_actor(), chain_run_id))


@bp.post("/chain-runs/<chain_run_id>/cancel")
def cancel_run(chain_run_id: str) -> ResponseReturnValue:
    """Begin no further step, and give up the one under way."""
    chains.cancel_chain_run(current_actor(), chain_run_id)
    return go_to("chains.show_run", chain_run_id=chain_run_id)


def _submit(chain_id: str | None) -> ResponseReturnValue:
    """Save the form, unless one of its buttons only moves or removes a step."""
    form = request.form
    name, steps = form.get("name", ""), [step for step in form.getlist("step") if step]
    if form.get("arrange"):
        if chain_id:
            chains.get_chain(current_actor(), chain_id)
        return _form(chain_id, name, arrange(steps, form["arrange"]))
    try:
        chain = chains.save_chain(current_actor(), chain_id, name, steps)
    except Invalid as error:
        return _form(chain_id, name, steps, error), error.status
    flash(_("Saved."), "success")
    return go_to("chains.edit", chain_id=chain.id)


def arrange(steps: list[str], wish: str) -> list[str]:
    """The steps after ``up-2``, ``down-0`` or ``remove-1``; as they were for anything else."""
    verb, _dash, text = wish.partition("-")
    place = int(text) if text.isdecimal() else len(steps)
    if place >= len(steps):
        return steps
    step, rest = steps[place], steps[:place] + steps[place + 1 :]
    if verb == "remove":
        return rest
    to = {"up": max(place - 1, 0), "down": place + 1}.get(verb, place)
    return [*rest[:to], step, *rest[to:]]


def _form(chain_id: str | None, name: str, steps: list[str], error: HubError | None = None) -> str:
    fields = error.fields if isinstance(error, Invalid) else {}
    spare = min(SPARE_ROWS, MAX_STEPS - len(steps))
    return render(
        "chains/form.html",
        chain_id=chain_id,
        name=name,
        rows=[*steps, *[""] * max(spare, 0)],
        choices=chains.list_choices(current_actor()),
        fields=fields,
        most=MAX_STEPS,
    )
