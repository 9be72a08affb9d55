"""The HTTP Request node before version 3: its parameters in the form of version 4."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_AUTHENTICATION = {
    "basicAuth": "httpBasicAuth",
    "digestAuth": "httpDigestAuth",
    "headerAuth": "httpHeaderAuth",
    "queryAuth": "httpQueryAuth",
    "oAuth1": "oAuth1Api",
    "oAuth2": "oAuth2Api",
}
_BODY_METHODS = ("PATCH", "POST", "PUT", "DELETE")
_FORMATS = {"file": "file", "string": "text"}


def to_version_4(old: Json) -> Json:
    """The parameters of a version 4 node that sends the same."""
    options = old.get("options")
    options = options if isinstance(options, dict) else {}
    as_json = old.get("jsonParameters") is True
    new: Json = {"method": old.get("requestMethod", "GET"), "url": old.get("url", ""), "options": _options(old, options)}
    if old.get("authentication") in _AUTHENTICATION:
        new |= {"authentication": "genericCredentialType", "genericAuthType": _AUTHENTICATION[old["authentication"]]}
    else:
        new |= {key: old[key] for key in ("authentication", "genericAuthType", "nodeCredentialType") if key in old}
    for what, rows, key in (("Query", "queryParameters", "jsonQuery"), ("Headers", "headerParameters", "jsonHeaders")):
        written = old.get(f"{rows}Json")
        if as_json and written:
            new |= {f"send{what}": True, f"specify{what}": "json", key: written}
        elif not as_json and (found := _rows(old, f"{rows}Ui")):
            new |= {f"send{what}": True, rows: {"parameters": found}}
    if new["method"] in _BODY_METHODS:
        new |= _body(old, options, as_json)
    return new


def _body(old: Json, options: Json, as_json: bool) -> Json:
    kind = options.get("bodyContentType", "json")
    mime = options.get("bodyContentCustomMimeType") or "text/plain"
    if as_json and old.get("sendBinaryData") is True:
        return {"sendBody": True, **_binary(str(old.get("binaryPropertyName", "data")), kind)}
    if not as_json:
        rows = _rows(old, "bodyParametersUi")
        pairs = {"contentType": "json" if kind == "raw" else kind, "bodyParameters": {"parameters": rows}}
        return {"sendBody": True, **pairs} if rows else {}
    written = old.get("bodyParametersJson")
    if not written:
        return {}
    if kind == "raw":
        return {"sendBody": True, "contentType": "raw", "rawContentType": mime, "body": written}
    if kind == "form-urlencoded" and isinstance(written, str) and not written.lstrip().startswith(("{", "=")):
        return {"sendBody": True, "contentType": kind, "specifyBody": "string", "body": written}
    return {"sendBody": True, "contentType": "json", "specifyBody": "json", "jsonBody": written}


def _binary(names: str, kind: str) -> Json:
    """``field`` or ``part:field,part:field``."""
    if kind != "multipart-form-data":
        return {"contentType": "binaryData", "inputDataFieldName": names}
    pairs = [name.strip().rpartition(":") for name in names.split(",")]
    rows = [{"parameterType": "formBinaryData", "name": part or "file", "inputDataFieldName": field} for part, _, field in pairs]
    return {"contentType": kind, "bodyParameters": {"parameters": rows}}


def _rows(old: Json, key: str) -> list[Any]:
    collection = old.get(key)
    rows = collection.get("parameter") if isinstance(collection, dict) else None
    return rows if isinstance(rows, list) else []


def _options(old: Json, options: Json) -> Json:
    new: Json = {key: options[key] for key in ("timeout", "proxy") if key in options}
    if old.get("allowUnauthorizedCerts") is True:
        new["allowUnauthorizedCerts"] = True
    if options.get("followRedirect") is False and options.get("followAllRedirects") is not True:
        new["redirect"] = {"redirect": {"followRedirects": False}}
    if options.get("useQueryString") is True:
        new["queryParameterArrays"] = "repeat"
    response = {"fullResponse": options.get("fullResponse") is True, "neverError": options.get("ignoreResponseCode") is True}
    chosen: Json = {name: True for name, value in response.items() if value}
    if old.get("responseFormat") in _FORMATS:
        chosen["responseFormat"] = _FORMATS[old["responseFormat"]]
    return {**new, "response": {"response": chosen}} if chosen else new
