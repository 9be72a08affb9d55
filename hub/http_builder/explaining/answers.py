"""Answers that n8n's error would not explain: what their headers, their way, their clock or their body says."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from hub.contracts.analysis import Cause, Diagnosis, Suggestion
from hub.contracts.catalog import HttpMethod
from hub.contracts.http import FormBody, JsonBody, MultipartBody, NoBody, RawBody, RequestDefinition
from hub.http_builder.explaining.edits import as_json, as_sent_form
from hub.http_builder.explaining.findings import Look, advise, words
from hub.http_builder.explaining.outcome import failed_answer, is_login_page

#: Hosts whose APIs take forms, not JSON.
_FORM_HOSTS = re.compile(r"(?:^|\.)(?:stripe|twilio)\.com$")
_WANTS_FORM = re.compile(r"x-www-form-urlencoded|form[- ]url[- ]?encoded|urlencoded form", re.IGNORECASE)
_WANTS_JSON = re.compile(r"application/(?:[\w.]+\+)?json|\bjson\b", re.IGNORECASE)
_ABOUT_TYPE = re.compile(r"content[- ]?type|media type", re.IGNORECASE)
_UNFILLED = re.compile(r"\{\{.*?\}\}|%7B%7B.*?%7D%7D|/\{[\w-]+\}|/%7B[\w-]+%7D|/:[A-Za-z_]\w*(?=/|\?|$)", re.IGNORECASE)
_SKEWED = re.compile(r"RequestTimeTooSkewed|Signature expired|Signature not yet current|request time too skewed", re.IGNORECASE)
#: Seconds by which AWS lets a clock be off.
_MOST_SKEW = 300
#: Words in the answers of Slack and its like, and what they mean.
_SAID: tuple[tuple[re.Pattern[str], Cause], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), cause)
    for pattern, cause in (
        (r"rate_?limit|too many", Cause.RATE_LIMITED),
        (
            r"invalid_auth|not_authed|token_(?:expired|revoked)|account_inactive|unauthori[sz]ed|invalid.{0,10}token",
            Cause.BAD_CREDENTIALS,
        ),
        (r"missing_scope|not_in_channel|access_denied|permission|forbidden|no_permission|restricted", Cause.FORBIDDEN),
        (r"not[_ ]found|unknown_method|does not exist|doesn't exist", Cause.NOT_FOUND),
        (r"internal_error|fatal_error|service_unavailable", Cause.TRANSIENT_UPSTREAM),
    )
)


def expired_token(look: Look) -> Diagnosis | None:
    """A token that had run out when it was sent."""
    facts = look.facts
    if facts.status not in (400, 401, 403) or facts.token_expired_at is None:
        return None
    when = facts.token_expired_at[:19].replace("T", " ")
    return look.say(
        "token-expired",
        Cause.BAD_CREDENTIALS,
        words(
            "The token had expired at {when} UTC, before it was sent.",
            "انتهت صلاحية الرمز في {when} بتوقيت UTC قبل إرساله.",
            when=when,
        ),
        [
            advise(
                words("Put in a new token", "ضع رمزًا جديدًا"),
                words(
                    "Fetch a new one at the service and enter it under Authentication. With OAuth2 the hub fetches it itself.",
                    "اطلب رمزًا جديدًا من الخدمة وأدخله في تبويب المصادقة. ومع OAuth2 تجلبه المنصة وتجدده بنفسها.",
                ),
                0.85,
            )
        ],
        confidence=0.97,
        pointer="/exchange/token_expired_at",
        quote=facts.token_expired_at,
    )


def wrong_clock(look: Look) -> Diagnosis | None:
    """A signature that is refused because the hub's clock is off."""
    facts = look.facts
    ahead = facts.clock_ahead_seconds or 0
    if facts.status not in (400, 401, 403) or not facts.is_signed or not (abs(ahead) > _MOST_SKEW or _SKEWED.search(facts.body)):
        return None
    return look.say(
        "clock",
        Cause.BAD_CREDENTIALS,
        words(
            "The signature is refused for its time: the hub's clock differs from the server's by {seconds} s.",
            "رُفض التوقيع بسبب وقته: تختلف ساعة المنصة عن ساعة الخادم بمقدار {seconds} ثانية.",
            seconds=abs(ahead),
        ),
        [
            advise(
                words("Set the clock of the hub's machine", "اضبط ساعة جهاز المنصة"),
                words(
                    "Let it follow a time server (NTP). AWS takes signatures that are at most five minutes off.",
                    "اجعلها تتبع خادم وقت (NTP). تقبل AWS فرقًا لا يتجاوز خمس دقائق.",
                ),
                0.85,
            )
        ],
        pointer="/exchange/clock_ahead_seconds",
        quote=str(ahead),
    )


def unfilled_address(look: Look) -> Diagnosis | None:
    """An address in which a placeholder was sent as it is."""
    facts = look.facts
    sent = str((look.evidence.error.request or {}).get("uri") or "")
    found = _UNFILLED.search(urlsplit(sent).path) if sent else None
    if facts.status not in (400, 404) or found is None:
        return None
    return look.say(
        "unfilled",
        Cause.UNDEFINED_VALUE,
        words("{part} was sent as it is: nothing filled it in.", "أُرسل {part} كما هو: لم تُملأ قيمته.", part=found[0].strip("/")),
        [
            advise(
                words("Write a variable or the value", "اكتب متغيّرًا أو القيمة نفسها"),
                words(
                    "A variable is written {{NAME}} with letters, digits, dots, dashes and underscores.",
                    "يُكتب المتغيّر {{NAME}} بحروف وأرقام ونقاط وشرطات، دون مسافات في اسمه.",
                ),
                0.8,
            )
        ],
        pointer="/error/request/uri",
        quote=sent,
    )


def lost_body(look: Look) -> Diagnosis | None:
    """A redirect that made a GET of a call with a body: a slash too many or too few, or http for https."""
    hops = look.facts.hops
    if len(hops) < 2 or hops[0]["method"] in ("GET", "HEAD") or hops[-1]["method"] != "GET":
        return None
    first, last = urlsplit(str(hops[0]["url"])), urlsplit(str(hops[-1]["url"]))
    if first.hostname != last.hostname:
        return None

    def go_straight(definition: RequestDefinition) -> RequestDefinition | None:
        url = definition.url
        if (first.scheme, last.scheme) == ("http", "https") and url.startswith("http://"):
            url = "https://" + url.removeprefix("http://")
            if first.port and last.port != first.port:
                return None
        start, mark, rest = re.match(r"([^?#]*)([?#]?)(.*)", url, re.DOTALL).groups()  # type: ignore[union-attr]
        if last.path == f"{first.path}/":
            url = f"{start}/{mark}{rest}"
        elif first.path == f"{last.path}/":
            url = f"{start.removesuffix('/')}{mark}{rest}"
        elif first.path != last.path:
            if not first.path.strip("/") or not start.endswith(first.path):
                return None
            url = start.removesuffix(first.path) + last.path + mark + rest
        return definition.model_copy(update={"url": url})

    target = f"{last.scheme}://{last.netloc}{last.path}"
    return look.say(
        "redirect-lost-body",
        Cause.INVALID_URL,
        words(
            "The server redirects this address, and on the way {method} became GET and lost its body.",
            "يعيد الخادم توجيه هذا العنوان، وفي الطريق صار {method} طلب GET وضاع محتواه.",
            method=str(hops[0]["method"]),
        ),
        [
            look.change(
                words("Call {target} at once", "استدعِ {target} مباشرة", target=target),
                words("That is where the server redirects to.", "هذا ما يوجّه إليه الخادم."),
                go_straight,
                0.9,
            ),
            advise(
                words("Call the final address", "استدعِ العنوان النهائي"),
                words("Put {target} into the request.", "ضع {target} في الطلب.", target=target),
            ),
        ],
        pointer="/exchange/hops/0",
        quote=f"{hops[0]['status']} {hops[0]['url']}",
    )


def allowed_method(look: Look) -> Diagnosis | None:
    """The method that the header ``Allow`` of a 405 (or 501) names."""
    facts = look.facts
    if facts.status not in (405, 501) or "allow" not in facts.headers:
        return None
    named = [name for name in re.findall(r"[A-Z]+", facts.headers["allow"].upper()) if name in set(HttpMethod)]
    method = look.definition.method
    useful = [name for name in dict.fromkeys(named) if name not in ("OPTIONS", "HEAD", method)]
    if not useful:
        return None
    has_body = not isinstance(look.definition.body, NoBody)
    by_body = [name for name in useful if (name in ("POST", "PUT", "PATCH")) == has_body]
    meant = by_body[0] if len(by_body) == 1 else useful[0] if len(useful) == 1 else None
    change = meant and look.change(
        words("Use {method}", "استخدم {method}", method=meant),
        words("The answer's header Allow says: {allow}.", "تقول ترويسة الرد Allow:‏ {allow}.", allow=facts.headers["allow"]),
        lambda definition: definition.model_copy(update={"method": HttpMethod(str(meant))}),
        0.9 if len(useful) == 1 else 0.7,
    )
    choose = advise(
        words("Choose a method that the address takes", "اختر طريقة يقبلها العنوان"),
        words("It takes {allow}.", "يقبل {allow}.", allow=facts.headers["allow"]),
    )
    return look.say(
        "method",
        Cause.WRONG_METHOD,
        words("This address does not take {method}.", "لا يقبل هذا العنوان الطريقة {method}.", method=method.value),
        [change or None, choose],
        confidence=0.97,
        pointer="/exchange/headers/allow",
        quote=facts.headers["allow"],
    )


def body_format(look: Look) -> Diagnosis | None:
    """A body in another format than the service takes: JSON for a form, a form for JSON, or one that does not say what it is."""
    facts, body = look.facts, look.definition.body
    if facts.status not in (400, 406, 415, 422) or isinstance(body, NoBody | MultipartBody):
        return None
    named = " ".join(facts.headers.get(name, "") for name in ("accept-post", "accept-patch"))
    host = urlsplit(str((look.evidence.error.request or {}).get("uri") or "")).hostname or ""
    says_type = facts.status == 415 or _ABOUT_TYPE.search(facts.body)
    told = f"{named} {facts.body if says_type else ''}"
    wants_form = _WANTS_FORM.search(told) or (_FORM_HOSTS.search(host) and isinstance(body, JsonBody))
    wants_json = bool(_WANTS_JSON.search(told)) or (facts.status == 415 and isinstance(body, RawBody))
    edit: Callable[[RequestDefinition], RequestDefinition | None]
    if wants_form and not (wants_json and isinstance(body, FormBody)):
        edit, wanted = as_sent_form, "application/x-www-form-urlencoded"
    elif wants_json:
        edit, wanted = as_json, "application/json"
    else:
        return None
    change = look.change(
        words("Send the body as {type}", "أرسل المحتوى بصيغة {type}", type=wanted),
        words(
            "The fields stay the same; the header Content-Type is set with them.",
            "تبقى الحقول كما هي، وتُضبط معها الترويسة Content-Type.",
        ),
        edit,
        0.85,
    )
    if change is None:
        return None
    return look.say(
        "body-format",
        Cause.UNSUPPORTED_MEDIA_TYPE,
        words("The service takes {type} here, and something else was sent.", "تقبل الخدمة هنا {type}، وأُرسل غيره.", type=wanted),
        [change],
        confidence=0.93,
        quote=named.strip() or facts.body,
        pointer="/exchange/body",
    )


def retry_after(look: Look) -> Diagnosis | None:
    """How long the service asks to wait."""
    facts = look.facts
    seconds = _seconds(facts.headers.get("retry-after", ""), facts.headers.get("date", ""))
    if facts.status not in (429, 503) or seconds is None:
        return None
    busy = facts.status == 429
    return look.say(
        "retry-after",
        Cause.RATE_LIMITED if busy else Cause.TRANSIENT_UPSTREAM,
        words("The service took more calls than it allows.", "وصلت الخدمة طلبات أكثر مما تسمح به.")
        if busy
        else words("The service is not available for the moment.", "الخدمة غير متاحة في هذه اللحظة."),
        [
            advise(
                words("Wait {seconds} s, then send again", "انتظر {seconds} ثانية ثم أرسل ثانية", seconds=seconds),
                words(
                    "The answer's header Retry-After says so. The refused call changed nothing.",
                    "هذا ما تقوله ترويسة الرد Retry-After. والطلب المرفوض لم يغيّر شيئًا.",
                ),
                0.9,
            )
        ],
        confidence=0.95,
        pointer="/exchange/headers/retry-after",
        quote=facts.headers["retry-after"],
    )


def _seconds(text: str, now: str) -> int | None:
    if text.strip().isdecimal():
        return int(text)
    try:
        return max(round((parsedate_to_datetime(text) - (parsedate_to_datetime(now))) / dt.timedelta(seconds=1)), 0)
    except (ValueError, TypeError):
        return None


def web_page(look: Look) -> Diagnosis | None:
    """A web page where data was to come."""
    facts = look.facts
    if (
        facts.status is None
        or facts.status >= 400
        or not look.evidence.error.message.startswith("Response body is not valid JSON")
    ):
        return None
    last = str(facts.hops[-1]["url"]) if facts.hops else ""
    login = is_login_page(facts.body) or bool(re.search(r"/(?:login|signin|sign-in|sso|auth)\b", urlsplit(last).path))
    if login:
        summary = words("A page to sign in came instead of data.", "وصلت صفحة تسجيل دخول بدل البيانات.")
        advice = words(
            "The call is not signed in, or the address belongs to the website. Check Authentication and the address of the API.",
            "الطلب غير مسجل الدخول، أو العنوان يخص الموقع لا الواجهة. تحقّق من المصادقة ومن عنوان الواجهة البرمجية.",
        )
    else:
        summary = words("A web page came instead of JSON.", "وصلت صفحة ويب بدل JSON.")
        advice = words(
            "Often the address is the website's and not the API's: look it up in the service's documentation.",
            "كثيرًا ما يكون العنوان عنوان الموقع لا الواجهة البرمجية: راجعه في وثائق الخدمة.",
        )
    title = words("Check sign-in and address", "تحقّق من الدخول والعنوان")
    cause = Cause.BAD_CREDENTIALS if login else Cause.BAD_RESPONSE_FORMAT
    return look.say("web-page", cause, summary, [advise(title, advice)], pointer="/exchange/body", quote=facts.body)


def failed_in_words(look: Look) -> Diagnosis | None:
    """A good status with an answer that says that the call failed."""
    facts = look.facts
    said = failed_answer(facts.body) if facts.status is not None and facts.status < 400 else None
    if said is None:
        return None
    cause = next((cause for pattern, cause in _SAID if pattern.search(said)), Cause.BAD_REQUEST)
    return look.say(
        "says-failed",
        cause,
        words(
            "The status is {status}, but the answer says that the call failed: {said}",
            "الحالة {status}، لكن الرد يقول إن الطلب فشل: {said}",
            status=facts.status or 0,
            said=said[:300] or "ok: false",
        ),
        [_advice_for(cause)],
        confidence=0.9 if said else 0.6,
        pointer="/exchange/body",
        quote=said or facts.body,
    )


def _advice_for(cause: Cause) -> Suggestion:
    match cause:
        case Cause.BAD_CREDENTIALS:
            return advise(
                words("Enter a valid token", "أدخل رمزًا صالحًا"),
                words("It is missing, wrong, expired or revoked.", "هو ناقص أو خطأ أو منتهي الصلاحية أو ملغى."),
            )
        case Cause.FORBIDDEN:
            return advise(
                words("Give the token the missing permission", "امنح الرمز الإذن الناقص"),
                words("The answer names the scope or the place that it lacks.", "يذكر الرد الصلاحية أو المكان الناقص."),
            )
        case Cause.RATE_LIMITED | Cause.TRANSIENT_UPSTREAM:
            return advise(
                words("Send it again later", "أرسله لاحقًا"), words("The service asks for a pause.", "تطلب الخدمة التوقف قليلًا.")
            )
    return advise(
        words("Correct what the answer names", "صحّح ما يذكره الرد"),
        words("Compare ids and fields with the service's documentation.", "قارن المعرّفات والحقول بوثائق الخدمة."),
    )


def failed_checks(look: Look) -> Diagnosis | None:
    """Nothing is wrong but a test of the request."""
    facts = look.facts
    if facts.status is None or facts.status >= 400 or not facts.failed_checks:
        return None
    text = "; ".join(facts.failed_checks)
    return look.say(
        "checks",
        Cause.BAD_RESPONSE_FORMAT,
        words(
            "The service answered, but not as the tests demand: {checks}",
            "أجابت الخدمة، لكن ليس كما تطلب الاختبارات: {checks}",
            checks=text,
        ),
        [
            advise(
                words("Compare the answer with the tests", "قارن الرد بالاختبارات"),
                words(
                    "Either the request asks for something else than was meant, or the tests expect too much.",
                    "إما أن الطلب يطلب غير المقصود، أو أن الاختبارات تتوقع ما لا تقوله الخدمة.",
                ),
            )
        ],
        pointer="/exchange/failed_checks/0",
        quote=facts.failed_checks[0],
    )
