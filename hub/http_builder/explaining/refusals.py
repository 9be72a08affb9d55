"""Runs without an answer: what the hub itself refused, and where the time went."""

from __future__ import annotations

from hub.contracts.analysis import Cause, Diagnosis, LocalizedText, Suggestion
from hub.contracts.http import RequestDefinition
from hub.http_builder.explaining.findings import Look, advise, words

#: The longest that the hub waits, in seconds.
_MOST_SECONDS = 120.0
_CAUSES: dict[str, Cause] = {
    "secret-host": Cause.FORBIDDEN,
    "secret-unbound": Cause.FORBIDDEN,
    "secret-in-host": Cause.FORBIDDEN,
    "address-refused": Cause.FORBIDDEN,
    "address-never": Cause.FORBIDDEN,
    "port-refused": Cause.FORBIDDEN,
    "unresolved": Cause.UNDEFINED_VALUE,
    "expression": Cause.UNDEFINED_VALUE,
    "auth-empty": Cause.BAD_CREDENTIALS,
    "secret-lost": Cause.BAD_CREDENTIALS,
    "inputs-lost": Cause.BAD_CREDENTIALS,
    "token": Cause.BAD_CREDENTIALS,
    "token-missing": Cause.BAD_CREDENTIALS,
    "file-not-chosen": Cause.MISSING_BINARY,
    "file-missing": Cause.MISSING_BINARY,
    "json-invalid": Cause.INVALID_JSON_BODY,
    "json-no-object": Cause.INVALID_JSON_BODY,
    "bad-method": Cause.WRONG_METHOD,
    "bad-header": Cause.INVALID_HEADER,
    "header-refused": Cause.INVALID_HEADER,
    "header-name": Cause.INVALID_HEADER,
    "header-line-break": Cause.INVALID_HEADER,
    "header-metadata": Cause.INVALID_HEADER,
    "body-too-large": Cause.BAD_REQUEST,
    "request-too-large": Cause.BAD_REQUEST,
    "redirect-downgrade": Cause.FORBIDDEN,
    "redirect-body": Cause.FORBIDDEN,
    "redirect-secret": Cause.FORBIDDEN,
    "too-large": Cause.BAD_RESPONSE_FORMAT,
    "large-headers": Cause.BAD_RESPONSE_FORMAT,
    "bad-answer": Cause.BAD_RESPONSE_FORMAT,
    "bad-encoding": Cause.BAD_RESPONSE_FORMAT,
    "many-encodings": Cause.BAD_RESPONSE_FORMAT,
}
_PHASES = {
    "dns": words("the host's name was looked up", "البحث عن عنوان المضيف"),
    "connect": words("the connection was being made", "إنشاء الاتصال"),
    "tls": words("the encrypted connection was being agreed", "الاتفاق على الاتصال المشفّر"),
    "first_byte": words("the hub waited for the answer to begin", "انتظار بداية الرد"),
    "download": words("the answer was being read", "قراءة الرد"),
}


def own_refusal(look: Look) -> Diagnosis | None:
    """What the hub refused or could not read, in the words that say what to do."""
    facts = look.facts
    problems = facts.details.get("problems") or []
    code = str(problems[0]["code"]) if facts.code == "not-ready" and problems else facts.code
    cause = _CAUSES.get(str(code), Cause.INVALID_URL if facts.code == "not-ready" else None)
    if code == "bad-url" and problems[0]["details"].get("reason") in ("scheme", "host"):
        return None  # the rules correct it
    if facts.status is not None or cause is None or not facts.reasons:
        return None
    first, *more = facts.reasons
    advice = [advise(words("This too is in the way", "وهذا أيضًا يمنع الإرسال"), reason) for reason in more]
    return look.say(str(code), cause, first, [_way_out(look, str(code)), *advice], confidence=0.97, quote=first.en)


def _way_out(look: Look, code: str) -> Suggestion | None:
    details = look.facts.details
    if code in ("address-refused", "port-refused"):
        host = f"[{details['host']}]" if ":" in str(details["host"]) else details["host"]
        return advise(
            words("Ask the hub's operator to allow it", "اطلب من مشغّل المنصة السماح به"),
            words(
                "Add this line to the hub's settings and restart it: HUB_ALLOWED_ADDRESSES={entry} (several are separated by "
                "commas). Allow only what is yours.",
                "أضف هذا السطر إلى إعدادات المنصة ثم أعد تشغيلها: HUB_ALLOWED_ADDRESSES={entry} (تفصل الفواصل بين عدة عناوين). "
                "لا تسمح إلا بما تملكه.",
                entry=f"{host}:{details['port']}",
            ),
            0.8,
        )
    if code in ("secret-host", "secret-unbound"):
        return advise(
            words("Add the host to the secret, if it is right", "أضف المضيف إلى السر إن كان صحيحًا"),
            words(
                "A secret goes only to the hosts that are listed with it. If the address has a typing mistake, correct that.",
                "لا يُرسل السر إلا إلى المضيفات المسجلة معه. وإن كان العنوان خطأً كتابيًّا فصحّح العنوان.",
            ),
            0.8,
        )
    if code == "unresolved":
        return advise(
            words("Give the variable a value", "أعطِ المتغيّر قيمة"),
            words(
                "Under Variables in the request, in the active environment, or in your own variables. Check the spelling, too.",
                "في تبويب المتغيّرات في الطلب، أو في البيئة المفعّلة، أو في متغيّراتك. وتحقّق من كتابة الاسم أيضًا.",
            ),
            0.8,
        )
    return None


def timeout(look: Look) -> Diagnosis | None:
    """A timeout, with the step at which the time ran out."""
    facts = look.facts
    if facts.code not in ("timeout", "dns-timeout"):
        return None
    phase = "dns" if facts.code == "dns-timeout" else facts.phase or "first_byte"
    step = _PHASES.get(phase, _PHASES["first_byte"])
    seconds = f"{float(facts.details.get('seconds') or 0):g}"
    summary = LocalizedText(
        en=f"No whole answer within {seconds} s: the time ran out while {step.en}.",
        ar=f"لم يصل رد كامل خلال \u2068{seconds}\u2069 ثانية: انقضى الوقت عند {step.ar}.",
    )
    is_slow = phase in ("first_byte", "download")
    raised = min(max(float(facts.details.get("seconds") or 30) * 4, 30), _MOST_SECONDS)

    def wait_longer(definition: RequestDefinition) -> RequestDefinition | None:
        if definition.settings.timeout_seconds >= raised:
            return None
        settings = definition.settings.model_copy(update={"timeout_seconds": raised})
        return definition.model_copy(update={"settings": settings})

    longer = look.change(
        words("Wait up to {seconds} s", "انتظر حتى {seconds} ثانية", seconds=f"{raised:g}"),
        words(
            "The server took the connection and is working on the answer; it may just need longer.",
            "قبل الخادم الاتصال وهو يعمل على الرد؛ ربما يحتاج وقتًا أطول فقط.",
        ),
        wait_longer,
        0.6,
    )
    check = advise(
        words("Check address and network", "تحقّق من العنوان والشبكة"),
        words(
            "The server was not reached: a wrong host or port, a firewall, or a server that is down.",
            "لم يُبلغ الخادم: مضيف أو منفذ خطأ، أو جدار حماية، أو خادم متوقف.",
        ),
    )
    less = advise(
        words("Ask for less, or later", "اطلب أقل أو لاحقًا"),
        words(
            "If the call writes something, check whether it arrived before you send it again.",
            "إذا كان الطلب يكتب شيئًا فتحقّق هل وصل قبل أن ترسله ثانية.",
        ),
        0.4,
    )
    return look.say(
        "timeout", Cause.TIMEOUT, summary, [longer, less] if is_slow else [check], quote=phase, pointer="/exchange/phase"
    )
