"""The catalogue: every known failure, by where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.analyzers.rules.catalogue.code import RULES as CODE
from plugins.analyzers.rules.catalogue.code_values import RULES as CODE_VALUES
from plugins.analyzers.rules.catalogue.data import RULES as DATA
from plugins.analyzers.rules.catalogue.expressions import RULES as EXPRESSIONS
from plugins.analyzers.rules.catalogue.http_refusals import RULES as HTTP_REFUSALS
from plugins.analyzers.rules.catalogue.http_rejections import RULES as HTTP_REJECTIONS
from plugins.analyzers.rules.catalogue.http_request import RULES as HTTP_REQUEST
from plugins.analyzers.rules.catalogue.http_status import RULES as HTTP_STATUS
from plugins.analyzers.rules.catalogue.instance import RULES as INSTANCE
from plugins.analyzers.rules.catalogue.network import RULES as NETWORK
from plugins.analyzers.rules.catalogue.slips import RULES as SLIPS
from plugins.analyzers.rules.catalogue.workflow import RULES as WORKFLOW
from plugins.analyzers.rules.rule import Rule

RULES: Sequence[Rule] = (
    *(*HTTP_STATUS, *HTTP_REFUSALS, *HTTP_REJECTIONS, *HTTP_REQUEST, *NETWORK, *EXPRESSIONS),
    *(*DATA, *CODE, *CODE_VALUES, *WORKFLOW, *INSTANCE, *SLIPS),
)
