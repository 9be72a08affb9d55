"""The signature of Stripe's messages; facts and their date stand in ``stripe.py``."""

from __future__ import annotations

import pytest

from plugins.billing.stripe_billing.signature import TOLERANCE, BadSignature, check_signature
from tests.plugins.stripe_billing.stripe import NOON, SECRET, sign

BODY = b'{"id": "evt_1", "object": "event"}'
GOOD = sign(BODY, NOON, SECRET)


@pytest.mark.parametrize("late", [0, TOLERANCE, -TOLERANCE])
def test_a_good_one(late: int) -> None:
    check_signature(GOOD, BODY, SECRET, NOON + late)


def test_while_a_secret_is_rolled_over_one_of_several_is_enough() -> None:
    check_signature(sign(BODY, NOON, "whsec_old", SECRET), BODY, SECRET, NOON)
    check_signature(sign(BODY, NOON, SECRET, "whsec_new"), BODY, SECRET, NOON)


@pytest.mark.parametrize(
    ("header", "body", "now"),
    [
        (GOOD, BODY, NOON + TOLERANCE + 1),
        (GOOD, BODY, NOON - TOLERANCE - 1),
        (GOOD, BODY + b" ", NOON),
        (GOOD.replace(f"t={NOON}", f"t={NOON + 1}"), BODY, NOON),
        (sign(BODY, NOON, "whsec_other"), BODY, NOON),
        (GOOD.replace("v1=", "v0="), BODY, NOON),
        (GOOD + f",t={NOON}", BODY, NOON),
        ("", BODY, NOON),
        (f"t={NOON}", BODY, NOON),
        (f"t={NOON},v1=", BODY, NOON),
        (f"t={NOON},v1=é\udcff", BODY, NOON),
        ("t=x,v1=00", BODY, NOON),
        ("t=-1,v1=00", BODY, NOON),
        ("t=" + "9" * 400 + ",v1=00", BODY, NOON),
        (sign(BODY, NOON, *["whsec_other"] * 50, SECRET), BODY, NOON),
    ],
)
def test_every_other_is_refused(header: str, body: bytes, now: float) -> None:
    with pytest.raises(BadSignature):
        check_signature(header, body, SECRET, now)
