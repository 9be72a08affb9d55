"""Answers that refuse the sign-in: the rules for executions speak of n8n's credentials, here it is the request's own."""

from __future__ import annotations

from hub.contracts.analysis import Cause, Diagnosis
from hub.contracts.http import NoAuth
from hub.http_builder.explaining.findings import Look, advise, words
from hub.redaction import is_secret_name


def refused_sign_in(look: Look) -> Diagnosis | None:
    """401: nothing to sign in with was sent, or the service did not accept it."""
    if look.facts.status != 401:
        return None
    rows = (*look.definition.headers, *look.definition.params)
    has_none = isinstance(look.definition.auth, NoAuth) and not any(row.enabled and is_secret_name(row.name) for row in rows)
    if has_none:
        return look.say(
            "sign-in-missing",
            Cause.BAD_CREDENTIALS,
            words(
                "The service wants a sign-in, and the request carries none.",
                "تطلب الخدمة تسجيل الدخول، والطلب لا يحمل أي بيانات دخول.",
            ),
            [
                advise(
                    words("Choose a sign-in", "اختر طريقة دخول"),
                    words(
                        "Open the tab Authentication, choose the kind that the service's documentation names, and enter the key.",
                        "افتح تبويب المصادقة، واختر النوع الذي تذكره وثائق الخدمة، ثم أدخل المفتاح.",
                    ),
                )
            ],
            confidence=0.85,
        )
    return look.say(
        "sign-in-refused",
        Cause.BAD_CREDENTIALS,
        words(
            "The service did not accept the key, token or password of the request.",
            "لم تقبل الخدمة مفتاح الطلب أو رمزه أو كلمة مروره.",
        ),
        [
            advise(
                words("Renew the key or token", "جدّد المفتاح أو الرمز"),
                words(
                    "It is wrong, expired or revoked, or meant for another environment (test and live keys differ). Make a new "
                    "one at the service and enter it in the tab Authentication, or where its variable is kept.",
                    "هو خاطئ أو منتهٍ أو ملغى، أو مخصص لبيئة أخرى (مفاتيح الاختبار غير مفاتيح التشغيل). أنشئ مفتاحًا جديدًا لدى "
                    "الخدمة وأدخله في تبويب المصادقة، أو حيث يُحفظ متغيره.",
                ),
            )
        ],
        confidence=0.85,
    )
