"""What went wrong in a run as n8n's HTTP Request node would have said it, so that the same rules know it."""

from __future__ import annotations

import json
from typing import Any

from hub.http_builder.explaining.outcome import Failure, failed_answer
from hub.http_builder.models import RequestRun

Json = dict[str, Any]

_STATUS_WORDS = {
    400: "Bad request - please check your parameters",
    401: "Authorization failed - please check your credentials",
    402: "Payment required - perhaps check your payment details?",
    403: "Forbidden - perhaps check your credentials?",
    404: "The resource you are requesting could not be found",
    405: "Method not allowed - please check you are using the right HTTP method",
    429: "The service is receiving too many requests from you",
    500: "The service was not able to process your request",
    502: "Bad gateway - the service failed to handle your request",
    503: "Service unavailable - try again later or consider setting this node to retry automatically (in the node settings)",
    504: "Gateway timed out - perhaps try again later?",
}
_OTHER_STATUS = "Your request is invalid or could not be processed by the service"
_NOT_JSON = 'Response body is not valid JSON. Change "Response Format" to "Text"'
_NO_JSON_BODY = 'The value in the "JSON Body" field is not valid JSON'
_TLS = "SSL Issue: consider using the 'Ignore SSL issues' option"
#: n8n cuts no answer; the evidence does.
_MOST_BODY = 16_000


def error_of(run: RequestRun, failure: Failure, text: str, reasons: list[str]) -> Json:
    """n8n's error object. ``text`` is the body of the answer, ``reasons`` the hub's own words."""
    context: Json = {"itemIndex": 0}
    if run.sent is not None:
        sent = run.sent
        headers = {name.lower(): value for name, value in sent.get("headers") or ()}
        context["request"] = {"method": sent["method"], "uri": sent["url"], "headers": headers, "body": _value(sent.get("body"))}
    if failure is Failure.REFUSED or failure is Failure.NO_ANSWER:
        return {"context": context, **_without_answer(run, reasons)}
    if failure is Failure.STATUS and (broken := broken_json(run)):
        return {"name": "NodeOperationError", "context": context, "message": _NO_JSON_BODY, "description": broken, "messages": []}
    answer = f"{run.status_code} - {json.dumps(text[:_MOST_BODY], ensure_ascii=False)}"
    error: Json = {"name": "NodeApiError", "context": context, "httpCode": str(run.status_code), "messages": [answer]}
    if failure is Failure.STATUS:
        status = run.status_code or 0
        return {**error, "message": _STATUS_WORDS.get(status, _OTHER_STATUS), "description": _said(text) or None}
    if failure is Failure.WEB_PAGE:
        return {**error, "message": _NOT_JSON}
    if failure is Failure.SAYS_FAILED:
        return {**error, "message": failed_answer(text) or reasons[0]}
    return {**error, "message": reasons[0], "description": "\n".join(reasons[1:]) or None}


def _without_answer(run: RequestRun, reasons: list[str]) -> Json:
    error = run.error or {}
    code, details = str(error.get("code")), error.get("details") or {}
    problems = details.get("problems") or []
    if code == "not-ready" and len(problems) == 1:
        code, details = problems[0]["code"], problems[0]["details"]
    api = {"name": "NodeApiError"}
    host, port, reason = (str(details.get(key, "")) for key in ("host", "port", "reason"))
    match code:
        case "dns" | "dns-timeout":
            name = "ENOTFOUND" if code == "dns" else "EAI_AGAIN"
            words = "The connection cannot be established, this usually occurs due to an incorrect host (domain) value"
            return {**api, "httpCode": name, "message": words, "messages": [f"getaddrinfo {name} {host}"]}
        case "connect" if reason == "timeout":
            return {**api, "httpCode": "ETIMEDOUT", "message": reasons[0], "messages": [f"connect ETIMEDOUT {host}:{port}"]}
        case "connect" if reason == "refused":
            words = "The service refused the connection - perhaps it is offline"
            return {**api, "httpCode": "ECONNREFUSED", "message": words, "messages": [f"connect ECONNREFUSED {host}:{port}"]}
        case "timeout":
            limit = round(float(details.get("seconds", 0)) * 1000)
            words = "The connection was aborted, perhaps the server is offline"
            return {**api, "httpCode": "ECONNABORTED", "message": words, "messages": [f"timeout of {limit}ms exceeded"]}
        case "reset":
            words = "The connection to the server was closed unexpectedly, perhaps it is offline."
            return {**api, "httpCode": "ECONNRESET", "message": words, "messages": ["read ECONNRESET"]}
        case "tls" if details.get("part") == "certificate":
            return {**api, "httpCode": None, "message": _TLS, "description": reason, "messages": [_TLS]}
        case "tls":
            words = f"SSL routines: {reason.replace('_', ' ').lower()}"
            return {**api, "httpCode": "EPROTO", "message": words, "messages": [words]}
        case "too-many-redirects" | "redirect-loop":
            words = "Maximum number of redirects exceeded"
            return {**api, "httpCode": "ERR_FR_TOO_MANY_REDIRECTS", "message": words, "messages": [words]}
        case "bad-url" if run.definition.get("url") and reason in ("scheme", "host"):
            words = f'Invalid URL: {run.definition["url"]}. URL must start with "http" or "https".'
            return {"name": "NodeOperationError", "message": words, "messages": []}
    return {"name": "HubRefusal", "message": reasons[0] if reasons else code, "messages": []}


def broken_json(run: RequestRun) -> str | None:
    """Why the JSON body that was sent is no JSON; None where it is, or nothing of the kind was sent. n8n would not send it."""
    sent = run.sent or {}
    body = sent.get("body")
    if (run.definition.get("body") or {}).get("kind") != "json" or not isinstance(body, str) or sent.get("body_cut"):
        return None
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        return str(error)
    return None


def _said(text: str) -> str:
    """The message in a service's answer, as n8n looks for it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text[:500]
    for _level in range(3):
        if isinstance(value, dict):
            value = next((value[key] for key in ("error", "message", "detail", "description", "errors") if value.get(key)), None)
    return value if isinstance(value, str) else ""


def _value(body: Any) -> Any:
    """The body that was sent: as JSON where it is JSON, as n8n keeps it."""
    try:
        return json.loads(body) if isinstance(body, str) else None
    except (ValueError, RecursionError):
        return body
