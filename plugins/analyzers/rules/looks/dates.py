"""Looks closer at the dates that the first version of the Date & Time node is given."""

from __future__ import annotations

import re

from plugins.analyzers.rules.case import Case, case_of_item
from plugins.analyzers.rules.conversions import same_date_format
from plugins.analyzers.rules.fields import UNDEFINED, dig
from plugins.analyzers.rules.json_texts import expression_value
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding
from plugins.analyzers.rules.templates import is_template, placeholders


def old_date_node(case: Case) -> Finding | None:
    """The format of the dates that the first version of the Date & Time node is given, in Moment's letters."""
    value = case.parameters.get("value")
    if case.kind != "dateTime" or float(case.node.get("typeVersion") or 1) >= 2 or not isinstance(value, str):
        return None
    found = placeholders(value)
    items = case.evidence.input_items if is_template(value) and len(found) == 1 else ()
    shown = [str(expression_value(case_of_item(case, index), found[0].code)) for index in range(len(items))]
    form = same_date_format(shown)
    if form is None or dig(case.parameters, ("options", "fromFormat")) not in (UNDEFINED, ""):
        return None
    moment = re.sub(r"\bd\b", "DD", re.sub(r"\bM\b", "MM", form)).replace("yyyy", "YYYY")
    edit = Edit(str(case.name), ("parameters", "options", "fromFormat"), moment)
    return Finding(words={"value": shown[0][:80], "format": moment}, edits=(edit,))
