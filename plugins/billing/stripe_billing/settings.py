"""The fields of the settings page, and its check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.plugin_api import BillingUnavailable, CheckLine, CheckReport, LocalizedText, PluginSettings, SettingField, SettingValues
from plugins.billing.stripe_billing.client import call
from plugins.billing.stripe_billing.provider import PRICES


def _text(en: str, ar: str) -> LocalizedText:
    return LocalizedText(en=en, ar=ar)


def _price(name: str, plan: str) -> SettingField:
    return SettingField(
        name=name,
        kind="text",
        label=_text(f"Price of {plan}", f"سعر {plan}"),
        help=_text(
            "The id of a recurring price (price_…). Empty: not for sale.",
            "معرّف سعر متكرر (price_…). فارغ: غير معروضة للبيع.",
        ),
        max_length=255,
    )


FIELDS = (
    SettingField(
        name="secret_key",
        kind="secret",
        label=_text("Secret key", "المفتاح السري"),
        help=_text(
            "A restricted key (rk_…) that may write Checkout Sessions and Customer portal, and read Subscriptions and Prices, "
            "is enough.",
            "يكفي مفتاح مقيّد (rk_…) يكتب جلسات Checkout وبوابة العملاء ويقرأ الاشتراكات والأسعار.",
        ),
        max_length=255,
    ),
    SettingField(
        name="signing_secret",
        kind="secret",
        label=_text("Signing secret", "سر التوقيع"),
        help=_text(
            "Of the webhook endpoint (whsec_…) that you add at Stripe for this hub’s address /billing/stripe_billing/events, "
            "with the events checkout.session.completed, customer.subscription.updated, customer.subscription.deleted and "
            "invoice.payment_failed.",
            "لنقطة webhook (whsec_…) تضيفها في Stripe لعنوان هذه اللوحة /billing/stripe_billing/events مع الأحداث "
            "checkout.session.completed و customer.subscription.updated و customer.subscription.deleted "
            "و invoice.payment_failed.",
        ),
        max_length=255,
    ),
    *(_price(name, plan) for name, plan in PRICES.items()),
)


def validate(values: SettingValues) -> Mapping[str, LocalizedText]:
    """What is wrong with the form of the values."""
    prefixes = {"secret_key": ("sk_", "rk_"), "signing_secret": ("whsec_",), **dict.fromkeys(PRICES, ("price_",))}
    problems = {}
    for name, fitting in prefixes.items():
        value = str(values.get(name) or "")
        if value and not (value.startswith(fitting) and value.replace("_", "").isalnum() and value.isascii()):
            start = fitting[0]
            problems[name] = _text(
                f"This must begin with {start} and be one word.", f"يجب أن يبدأ بـ {start} وأن يكون كلمة واحدة."
            )
    prices = [str(values[name]) for name in PRICES if values.get(name)]
    if len(set(prices)) < len(prices):
        problems["price_pro"] = _text("Each plan needs a price of its own.", "لكل خطة سعر خاص بها.")
    return problems


def check(values: SettingValues) -> CheckReport:
    """Ask Stripe for each price."""
    if not values["secret_key"] or not values["signing_secret"]:
        missing = _text("Secret key and signing secret are needed.", "المفتاح السري وسر التوقيع مطلوبان.")
        return CheckReport(ok=False, lines=(CheckLine(state="bad", text=missing),))
    lines = tuple(_check_prices(values))
    if not lines:
        lines = (CheckLine(state="bad", text=_text("No plan has a price.", "لا سعر لأي خطة.")),)
    return CheckReport(ok=all(line.state == "good" for line in lines), lines=lines)


def _check_prices(values: SettingValues) -> Iterator[CheckLine]:
    for name, plan in PRICES.items():
        if not values[name]:
            continue
        try:
            price = call(str(values["secret_key"]), "GET", f"/v1/prices/{values[name]}")
        except BillingUnavailable as error:
            yield CheckLine(state="bad", text=_text(f"{plan}: {error.words.en}", f"{plan}: {error.words.ar}"))
            continue
        if price.get("type") != "recurring" or not price.get("active"):
            text = _text(f"{plan}: the price is not recurring, or not active.", f"{plan}: السعر غير متكرر أو غير مفعّل.")
            yield CheckLine(state="bad", text=text)
            continue
        mode = _text("live", "حقيقي") if price.get("livemode") else _text("test mode", "وضع الاختبار")
        yield CheckLine(state="good", text=_text(f"{plan}: the price is there ({mode.en}).", f"{plan}: السعر موجود ({mode.ar})."))


SETTINGS = PluginSettings(title=_text("Stripe: sell plans", "Stripe: بيع الخطط"), fields=FIELDS, validate=validate, check=check)
