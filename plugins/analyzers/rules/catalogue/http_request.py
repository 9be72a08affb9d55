"""Failures of the request itself: its address, headers, body, paging, and the format of the answer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from hub.plugin_api import Cause, Quote
from plugins.analyzers.rules.case import Case, Path
from plugins.analyzers.rules.fields import UNKNOWN, closest, dig
from plugins.analyzers.rules.json_texts import expression_value, repair_json_text
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding, Fix, Pattern, Rule, found_edits, regex, text
from plugins.analyzers.rules.templates import is_template, placeholders, rewrite

_URL: Path = ("parameters", "url")
_FORMAT: Path = ("parameters", "options", "response", "response", "responseFormat")
_SCHEME = re.compile(r"^[\"'\s]*([A-Za-z]{2,8}):?/{1,3}(?=[\w{\[])")
_HOST = re.compile(r"^[\"'\s]*(\[[0-9a-fA-F:]+\]|[\w.\-]+)(:\d+)?(?:[/?#]|$)")
_JSON_PARAMETERS = {
    "json body": "jsonBody",
    "json query parameters": "jsonQuery",
    "json headers": "jsonHeaders",
    "json output": "jsonOutput",
    "response body": "responseBody",
    "json": "jsonBody",
}
_TOKEN_NAME = re.compile(r"[^!#$%&'*+\-.^`|~\w]+")


def _invalid_url(case: Case) -> Finding | None:
    url = case.parameters.get("url")
    shown = re.search(r"Invalid URL: ([\s\S]*?)\. URL must", case.error.message)
    rendered = shown.group(1) if shown else str((case.error.request or {}).get("uri") or "")
    if rendered.startswith(("undefined", "null")):
        return None
    words = {"url": rendered}
    if not isinstance(url, str):
        return Finding(words=words)
    plain, prefix = url.removeprefix("="), "=" if url.startswith("=") else ""
    fixed = _fixed_url(rendered)
    if fixed is None:
        return Finding(words=words)
    if plain == rendered:
        new = prefix + fixed
    elif fixed.endswith(rendered) and is_template(url):
        new = f"={fixed.removesuffix(rendered)}{plain.lstrip()}"
    else:
        return Finding(words=words)
    return Finding(words={**words, "fixed": fixed}, edits=(Edit(str(case.name), _URL, new),))


def _fixed_url(url: str) -> str | None:
    """The address with its scheme added or corrected, without quotes and spaces around it."""
    bare = url.strip().strip("\"'").strip()
    if re.match(r"^https?://[\w\[]", bare):
        return bare if bare != url else None
    found = _SCHEME.match(bare)
    if found:
        scheme = closest(found.group(1).lower(), ("http", "https"), 60) or (
            found.group(1).lower() if found.group(1).lower() in ("http", "https") else None
        )
        return f"{scheme}://{bare[found.end() :]}" if scheme else None
    bare = bare.lstrip(":/")
    host = _HOST.match(bare)
    if not host:
        return None
    return ("http://" if _is_local(host.group(1)) else "https://") + bare


def _is_local(host: str) -> bool:
    """Whether a host is of this machine or network, where plain HTTP is usual."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan", ".localhost"))


def _header_name(case: Case) -> Finding:
    """The header whose name holds what HTTP does not allow."""
    shown = re.search(r'\["([^"]*)"\]', case.error.message)
    wrong = shown.group(1) if shown else ""
    entries = dig(case.parameters, ("headerParameters", "parameters"))
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        name = str(entry.get("name", "")) if isinstance(entry, dict) else ""
        if name.lower() == wrong.lower() or (not wrong and _TOKEN_NAME.search(name)):
            fixed = _TOKEN_NAME.sub("-", name.strip().strip(":").strip()).strip("-")
            edit = Edit(str(case.name), ("parameters", "headerParameters", "parameters", index, "name"), fixed)
            return Finding(words={"header": name, "fixed": fixed}, edits=(edit,) if fixed else ())
    return Finding(words={"header": wrong or "?"})


def _header_value(case: Case) -> Finding:
    """The header whose value holds a line break."""
    shown = re.search(r'\["([^"]*)"\]', case.error.message)
    wrong = (shown.group(1) if shown else "").lower()
    entries = dig(case.parameters, ("headerParameters", "parameters"))
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict) or str(entry.get("name", "")).lower() != wrong or not isinstance(entry.get("value"), str):
            continue
        value = entry["value"]
        clean = r"String({}).replace(/[^\t\x20-\x7e\x80-\xff]+/g, ' ').trim()"
        new = (
            rewrite(value, lambda code: f" {clean.format(code.strip())} ")
            if is_template(value)
            else re.sub(r"[^\t\x20-\xff]+", " ", value).strip()
        )
        if new and new != value:
            return Finding(
                words={"header": entry["name"]},
                edits=(Edit(str(case.name), ("parameters", "headerParameters", "parameters", index, "value"), new),),
            )
    return Finding(words={"header": wrong or "?"})


def _json_parameter(case: Case) -> Finding:
    """The JSON that was typed into a parameter, repaired."""
    shown = re.search(r"[\"'‘]([\w ]+)[\"'’]", case.error.message)
    label = shown.group(1) if shown else ""
    key = _JSON_PARAMETERS.get(label.lower())
    value = case.parameters.get(key) if key else None
    if key is None or not isinstance(value, str):
        return Finding(words={"field": label or "JSON"})
    fixed = repair_json_text(case, value)
    quote = Quote(pointer=f"/workflow/nodes/{_index(case)}/parameters/{key}", quote=value[:300])
    edits = (Edit(str(case.name), ("parameters", key), fixed),) if fixed else ()
    return Finding(words={"field": label}, edits=edits, quotes=(quote,))


def _index(case: Case) -> int:
    return next((index for index, node in enumerate(case.evidence.workflow["nodes"]) if node.get("name") == case.name), 0)


def _as_text(case: Case) -> Finding:
    """Keeping the answer as text helps only where the nodes behind do not read fields of it."""
    reads = [name for name in case.children if _reads_fields(case, name)]
    if reads or case.kind != "httpRequest":
        return Finding(words={"reader": reads[0] if reads else ""}, certainty=0.95)
    return Finding(edits=(Edit(str(case.name), _FORMAT, "text"),))


def _reads_fields(case: Case, name: str) -> bool:
    output = str(dig(case.parameters, ("options", "response", "response", "outputPropertyName")) or "data")
    node = case.evidence.node(name) or {}
    fields = [field for _, value in case.texts(node) for field in re.findall(r"(?:\$json|\.json)\??\.(\w+)", value)]
    return any(field != output for field in fields) or case.kind_of(name) in (
        "splitOut",
        "aggregate",
        "summarize",
        "sort",
        "if",
        "filter",
        "switch",
    )


def _redirects(case: Case) -> Finding:
    path: Path = ("options", "redirect", "redirect")
    limit = dig(case.parameters, (*path, "maxRedirects"))
    if case.status and dig(case.parameters, (*path, "followRedirects")) is False:
        return Finding(edits=(Edit(str(case.name), ("parameters", *path, "followRedirects"), True),), certainty=0.8)
    if isinstance(limit, int) and limit < 10:
        return Finding(edits=(Edit(str(case.name), ("parameters", *path, "maxRedirects"), 21),))
    return Finding()


def _paging(case: Case) -> Finding:
    """A paging parameter that has the same value in every request."""
    entries = dig(case.parameters, ("options", "pagination", "pagination", "parameters", "parameters"))
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        value = str(entry.get("value", "")) if isinstance(entry, dict) else ""
        name = str(entry.get("name", "")).lower() if isinstance(entry, dict) else ""
        if "$pageCount" in value or "$response" in value or not re.search(r"page|offset|skip|start", name):
            continue
        path: Path = ("parameters", "options", "pagination", "pagination", "parameters", "parameters", index, "value")
        size = _page_size(case) if "page" not in name else None
        new = "={{ $pageCount + 1 }}" if "page" in name else f"={{{{ $pageCount * {size} }}}}" if size else None
        return Finding(words={"field": name}, edits=(Edit(str(case.name), path, new),) if new else ())
    return Finding(words={"field": ""})


def _page_size(case: Case) -> int | None:
    found = re.search(r"(?:limit|per_page|page_?size|take|count)\D{1,30}?(\d{1,4})", str(case.parameters))
    return int(found.group(1)) if found else None


def _empty_url(case: Case) -> Finding:
    url = case.parameters.get("url")
    known = isinstance(url, str) and bool(placeholders(url)) and expression_value(case, placeholders(url)[0].code) is not UNKNOWN
    return Finding(certainty=1.0 if known else 0.9)


_MAN_URL = Fix(
    text("Correct the address", "صحّح العنوان"),
    text(
        "A complete address starts with http:// or https://, has a host and a port below 65536.",
        "يبدأ العنوان الكامل بـ http:// أو https://، وله مضيف ومنفذ أقل من 65536.",
    ),
    confidence=0.5,
)

RULES: Sequence[Rule] = (
    Rule(
        id="url-invalid",
        cause=Cause.INVALID_URL,
        prior=0.95,
        rank=60,
        look=_invalid_url,
        when=(Pattern(message=regex(r"^Invalid URL\b")), Pattern(codes=frozenset(("ERR_INVALID_URL", "ERR_INVALID_PROTOCOL")))),
        summary=text(
            "What ‘{node}’ calls is not a complete address: {url}", "ما تستدعيه العقدة ‘{node}’ ليس عنوانًا كاملًا: {url}"
        ),
        fixes=(
            Fix(
                text("Call {fixed}", "استدعِ {fixed}"),
                text("The same address with a scheme that HTTP clients know.", "العنوان نفسه مع بروتوكول معروف."),
                make=found_edits,
                confidence=0.85,
            ),
            _MAN_URL,
        ),
    ),
    Rule(
        id="url-empty",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.7,
        rank=55,
        look=_empty_url,
        when=(Pattern(message=regex(r"URL parameter (?:must be a string|cannot be empty)|Invalid URL: (?:undefined|null)")),),
        summary=text(
            "The address of ‘{node}’ comes from an expression that gave nothing.",
            "عنوان العقدة ‘{node}’ يأتي من تعبير لم يعطِ شيئًا.",
        ),
        fixes=(
            Fix(
                text("Point the expression to the field with the address", "وجّه التعبير إلى الحقل الذي يحوي العنوان"),
                text(
                    "Open the input of the node and pick the field again; data of a webhook lies under ‘body’.",
                    "افتح مدخلات العقدة واختر الحقل من جديد؛ بيانات الـ webhook تقع تحت ‘body’.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="header-name",
        cause=Cause.INVALID_HEADER,
        prior=0.96,
        rank=60,
        look=_header_name,
        when=(
            Pattern(codes=frozenset(("ERR_INVALID_HTTP_TOKEN",))),
            Pattern(message=regex(r"Header name must be a valid HTTP token")),
        ),
        summary=text(
            "The header name ‘{header}’ holds a character that HTTP does not allow.",
            "اسم الترويسة ‘{header}’ يحوي حرفًا لا يسمح به HTTP.",
        ),
        fixes=(
            Fix(
                text("Name it ‘{fixed}’", "سمّها ‘{fixed}’"),
                text("The name without colon, spaces and other signs.", "الاسم دون نقطتين أو مسافات أو رموز أخرى."),
                make=found_edits,
                confidence=0.9,
            ),
            Fix(
                text("Correct the header's name", "صحّح اسم الترويسة"),
                text("Letters, digits and hyphens are allowed.", "يُسمح بالحروف والأرقام والشرطات."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="header-value",
        cause=Cause.INVALID_HEADER,
        prior=0.95,
        rank=60,
        look=_header_value,
        when=(
            Pattern(codes=frozenset(("ERR_INVALID_CHAR", "ERR_HTTP_INVALID_HEADER_VALUE"))),
            Pattern(message=regex(r"Invalid (?:character in|value .* for) header")),
        ),
        summary=text(
            "The value of the header ‘{header}’ holds a character that HTTP does not allow.",
            "قيمة الترويسة ‘{header}’ تحوي حرفًا لا يسمح به HTTP.",
        ),
        fixes=(
            Fix(
                text("Take the character out", "احذف هذا الحرف"),
                text(
                    "Line breaks and signs beyond Latin-1 are replaced by a space.",
                    "تُستبدل فواصل الأسطر والرموز خارج Latin-1 بمسافة.",
                ),
                make=found_edits,
                confidence=0.75,
            ),
            Fix(
                text("Clean the value", "نظّف القيمة"),
                text("A header's value is one line of plain characters.", "قيمة الترويسة سطر واحد من الحروف البسيطة."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="json-parameter",
        cause=Cause.INVALID_JSON_BODY,
        prior=0.95,
        rank=60,
        look=_json_parameter,
        when=(
            Pattern(
                message=regex(
                    r"field is not valid JSON|contains invalid JSON|does not contain a valid JSON|Invalid JSON in ['‘]|needs to be valid JSON|must contain a valid JSON|is no valid JSON"
                )
            ),
        ),
        summary=text(
            "The JSON typed into ‘{field}’ of ‘{node}’ is broken once its expressions are filled in.",
            "نص JSON المكتوب في ‘{field}’ بالعقدة ‘{node}’ يصبح غير صالح بعد ملء تعبيراته.",
        ),
        fixes=(
            Fix(
                text("Repair the JSON", "أصلح نص JSON"),
                text(
                    "Values go in through JSON.stringify, which adds the quotes and escapes what would break the text.",
                    "تُدرج القيم عبر JSON.stringify الذي يضيف علامات الاقتباس ويحمي ما قد يكسر النص.",
                ),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Use fields instead of JSON text", "استخدم الحقول بدل نص JSON"),
                text(
                    "Choose ‘Using Fields Below’, or write the whole text as one expression: JSON.stringify of an object.",
                    "اختر ‘Using Fields Below’، أو اكتب النص كله تعبيرًا واحدًا: JSON.stringify لكائن.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="answer-not-json",
        cause=Cause.BAD_RESPONSE_FORMAT,
        prior=0.95,
        rank=60,
        look=_as_text,
        when=(
            Pattern(
                message=regex(
                    r"Response body is not valid JSON|Invalid JSON in response body|Received invalid JSON from response"
                )
            ),
        ),
        summary=text("The answer to ‘{node}’ is not JSON.", "الرد على العقدة ‘{node}’ ليس بصيغة JSON."),
        fixes=(
            Fix(
                text("Keep the answer as text", "احتفظ بالرد نصًّا"),
                text(
                    "No node behind reads JSON fields of it, so the text reaches them in the field ‘data’.",
                    "لا تقرأ العقد التالية حقول JSON منه، فيصلها النص في الحقل ‘data’.",
                ),
                make=found_edits,
                confidence=0.75,
            ),
            Fix(
                text("Look at what the service really sent", "انظر إلى ما أرسلته الخدمة فعلًا"),
                text(
                    "Often it is a login or error page: check address and credentials. If text is meant, set ‘Response Format’ to Text and read ‘data’ behind.",
                    "كثيرًا ما تكون صفحة دخول أو خطأ: تحقّق من العنوان وبيانات الاعتماد. وإن كان النص مقصودًا فاضبط ‘Response Format’ على Text واقرأ ‘data’ بعدها.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="redirects",
        cause=Cause.TOO_MANY_REDIRECTS,
        prior=0.9,
        rank=60,
        look=_redirects,
        when=(
            Pattern(codes=frozenset(("ERR_FR_TOO_MANY_REDIRECTS", "301", "302", "303", "307", "308"))),
            Pattern(message=regex(r"number of redirects exceeded")),
        ),
        summary=text(
            "The service redirects ‘{node}’ more often than the node follows.",
            "تعيد الخدمة توجيه العقدة ‘{node}’ أكثر مما تتبعه.",
        ),
        fixes=(
            Fix(
                text("Follow the redirects", "اتبع عمليات إعادة التوجيه"),
                text("The node's own limit is lower than usual.", "حدّ العقدة أدنى من المعتاد."),
                make=found_edits,
                confidence=0.7,
            ),
            Fix(
                text("Call the final address", "استدعِ العنوان النهائي"),
                text(
                    "A loop of redirects usually means a login page or a wrong address (http or https, with or without www).",
                    "حلقة إعادة التوجيه تعني غالبًا صفحة دخول أو عنوانًا خطأ (http أو https، مع www أو دونها).",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="paging-loop",
        cause=Cause.PAGINATION_LOOP,
        prior=0.95,
        rank=65,
        look=_paging,
        when=(
            Pattern(
                words=regex(
                    r"response was identical \d+x|Pagination Completed When|infinite loop.*pagination|pagination.*infinite loop"
                )
            ),
        ),
        summary=text(
            "‘{node}’ asks for page after page and gets the same answer.",
            "تطلب العقدة ‘{node}’ صفحة بعد صفحة وتحصل على الرد نفسه.",
        ),
        fixes=(
            Fix(
                text("Count the pages in ‘{field}’", "عُدّ الصفحات في ‘{field}’"),
                text("The parameter had the same value in every request.", "كانت للمعامل القيمة نفسها في كل طلب."),
                make=found_edits,
                confidence=0.6,
            ),
            Fix(
                text("Say when the last page is reached", "حدّد متى تنتهي الصفحات"),
                text(
                    "Set ‘Pagination Complete When’ to an expression on the answer, e.g. its list being empty, and limit the number of pages.",
                    "اضبط ‘Pagination Complete When’ على تعبير يخص الرد، مثل خلوّ قائمته، وحدّد عدد الصفحات.",
                ),
                confidence=0.6,
            ),
        ),
    ),
)
