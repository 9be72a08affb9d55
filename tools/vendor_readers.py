"""Read the facts of single operations from what vendors publish: OpenAPI 3 and Swagger 2, Google discovery, Telegram's reference
as JSON, and the Python SDKs of Stripe, Slack and Airtable.

Every reader answers ``{"GET /path": facts}`` for all operations that it finds; ``facts`` is the object that ``make_facts`` makes.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

VERBS = ("get", "post", "put", "patch", "delete")
FORM, JSON, MULTIPART = "application/x-www-form-urlencoded", "application/json", "multipart/form-data"
Facts = dict[str, dict]


def make_facts(
    *, query=(), required_query=(), content_types=(), body=(), required_body=(), deprecated=False, body_is_open=False
) -> dict:
    """What the test compares. ``body`` empty: the fields are not known; ``body_is_open``: others than the named are taken."""
    return {
        "query": sorted(query),
        "required_query": sorted(required_query),
        "content_types": sorted(content_types),
        "body": [] if body_is_open else sorted(body),
        "required_body": sorted(required_body),
        "deprecated": bool(deprecated),
    }


# --- OpenAPI -------------------------------------------------------------------------------------------------------


def read_openapi(*files: Path) -> Facts:
    """OpenAPI 3.x documents, JSON or YAML; several are put together."""
    found: Facts = {}
    for file in files:
        document = _load(file)
        for path, item in document["paths"].items():
            for verb in VERBS:
                if verb in item:
                    parameters = [
                        _resolve(document, each) for each in (*item.get("parameters", ()), *item[verb].get("parameters", ()))
                    ]
                    found[f"{verb.upper()} {path}"] = _openapi_operation(document, item[verb], parameters)
    return found


def read_openapi_auth(*files: Path) -> list[str]:
    """The kinds of authentication that the documents declare: bearer, basic, oauth2, header:NAME, query:NAME."""
    schemes = [scheme for file in files for scheme in _load(file).get("components", {}).get("securitySchemes", {}).values()]
    words = {
        "http": lambda each: each["scheme"],
        "oauth2": lambda _each: "oauth2",
        "apiKey": lambda each: f"{each['in']}:{each['name']}",
    }
    return sorted({words[scheme["type"]](scheme).removesuffix("Auth") for scheme in schemes if scheme["type"] in words})


def read_swagger_content_types(file: Path) -> dict[str, list[str]]:
    """``consumes`` of a Swagger 2 document."""
    document = json.loads(file.read_bytes())
    return {
        f"{verb.upper()} {path}": item[verb].get("consumes", [])
        for path, item in document["paths"].items()
        for verb in VERBS
        if verb in item
    }


def _load(file: Path) -> dict:
    return yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader) if file.suffix == ".yaml" else json.loads(file.read_bytes())


def _openapi_operation(document: dict, operation: dict, parameters: list[dict]) -> dict:
    query = [parameter for parameter in parameters if parameter.get("in") == "query"]
    content = _resolve(document, operation.get("requestBody", {})).get("content", {})
    names: set[str] = set()
    required: set[str] | None = None
    is_open = False
    for part in content.values():
        part_names, part_required, part_open = _object_fields(document, part.get("schema", {}))
        names |= part_names
        required = part_required if required is None else required & part_required
        is_open |= part_open
    return make_facts(
        query=[parameter["name"] for parameter in query],
        required_query=[parameter["name"] for parameter in query if parameter.get("required")],
        content_types=[name.partition(";")[0] for name in content],
        body=names,
        required_body=required or (),
        deprecated=operation.get("deprecated", False),
        body_is_open=is_open,
    )


def _resolve(document: dict, part: dict) -> dict:
    while "$ref" in part:
        target = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        part = target
    return part


def _object_fields(document: dict, schema: dict) -> tuple[set[str], set[str], bool]:
    """Names, required names, and whether others are taken; of alternatives only what all of them require is required."""
    schema = _resolve(document, schema)
    names, required = set(schema.get("properties", ())), set(schema.get("required", ()))
    is_open = bool(schema.get("additionalProperties")) and not names
    for part in schema.get("allOf", ()):
        more, needed, part_open = _object_fields(document, part)
        names, required, is_open = names | more, required | needed, is_open or part_open
    alternatives = [_object_fields(document, part) for word in ("oneOf", "anyOf") for part in schema.get(word, ())]
    if alternatives:
        names |= set().union(*(part[0] for part in alternatives))
        required |= set.intersection(*(part[1] for part in alternatives))
        is_open |= any(part[2] for part in alternatives)
    return names, required, is_open


# --- Other documents -----------------------------------------------------------------------------------------------


def read_discovery(file: Path) -> Facts:
    """A Google discovery document."""
    document = json.loads(file.read_bytes())
    everywhere = list(document.get("parameters", ()))

    def methods(resource: dict) -> Iterator[dict]:
        yield from resource.get("methods", {}).values()
        for child in resource.get("resources", {}).values():
            yield from methods(child)

    found: Facts = {}
    for method in methods(document):
        query = {name: each for name, each in method.get("parameters", {}).items() if each["location"] == "query"}
        body = document["schemas"].get(method.get("request", {}).get("$ref"), {})
        found[f"{method['httpMethod']} /{method['path'].replace('{+', '{')}"] = make_facts(
            query=[*query, *everywhere],
            required_query=[name for name, each in query.items() if each.get("required")],
            content_types=[JSON] if "request" in method else [],
            body=body.get("properties", ()),
            deprecated=method.get("deprecated", False),
        )
    return found


def read_telegram(file: Path) -> Facts:
    """The Bot API as JSON; the reference says that every method takes all three kinds of bodies."""
    methods = json.loads(file.read_bytes())["methods"]
    return {
        f"POST /{name}": make_facts(
            content_types=(JSON, FORM, MULTIPART),
            body=[field["name"] for field in method.get("fields", ())],
            required_body=[field["name"] for field in method.get("fields", ()) if field["required"]],
        )
        for name, method in methods.items()
    }


# --- SDKs ----------------------------------------------------------------------------------------------------------


def read_stripe_sdk(folder: Path) -> Facts:
    """``stripe/**/_*_service.py``, which Stripe makes from its specification, with the typed parameters of each method."""
    found: Facts = {}
    for file in sorted((folder / "stripe").rglob("_*_service.py")):
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                found.update(_stripe_method(folder, function))
    return found


def _stripe_method(folder: Path, function: ast.FunctionDef) -> Iterator[tuple[str, dict]]:
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "_request":
            verb, path = call.args[0], call.args[1]
            template = path.func.value if isinstance(path, ast.Call) else path
            names, required = _stripe_parameters(folder, ast.unparse(function.args))
            is_form = verb.value in ("post", "put", "patch")
            yield (
                f"{verb.value.upper()} {template.value}",
                make_facts(
                    query=() if is_form else names,
                    required_query=() if is_form else required,
                    content_types=[FORM] if is_form else [],
                    body=names if is_form else (),
                    required_body=required if is_form else (),
                ),
            )


def _stripe_parameters(folder: Path, signature: str) -> tuple[list[str], list[str]]:
    name = re.search(r"['\"](\w+Params)['\"]", signature)
    if name is None:
        return [], []
    file = "_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name[1]).lower()
    paths = list((folder / "stripe" / "params").rglob(f"{file}.py"))
    (declared,) = [
        node
        for path in paths
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == name[1]
    ][:1]
    fields = [node for node in declared.body if isinstance(node, ast.AnnAssign)]
    return [node.target.id for node in fields], [
        node.target.id for node in fields if "NotRequired" not in ast.unparse(node.annotation)
    ]


def read_slack_sdk(folder: Path, swagger: dict[str, list[str]]) -> Facts:
    """``slack_sdk/web/client.py``: verb, arguments and form of each method; JSON too where the old Swagger document takes it."""
    found: Facts = {}
    for function in ast.walk(ast.parse((folder / "slack_sdk/web/client.py").read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = [argument.arg for argument in function.args.kwonlyargs]
        required = [
            argument.arg
            for argument, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
            if value is None
        ]
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "api_call":
                if not (call.args and isinstance(call.args[0], ast.Constant)):
                    continue
                options = {keyword.arg: keyword.value for keyword in call.keywords}
                verb = options["http_verb"].value if "http_verb" in options else "POST"
                key = f"{verb} /{call.args[0].value}"
                types = {JSON if "json" in options else FORM, *swagger.get(key, ())} if verb == "POST" else set()
                parts = (
                    {"body": names, "required_body": required} if verb == "POST" else {"query": names, "required_query": required}
                )
                found[key] = make_facts(content_types=types, **parts)
    return found


def read_airtable_sdk(folder: Path) -> Facts:
    """pyairtable's address constants, and which verbs its functions send to them. Names of path parts are not kept."""
    verbs: dict[str, set[str]] = {}
    for name in ("api", "base", "table"):
        tree = ast.parse((folder / f"pyairtable/api/{name}.py").read_text(encoding="utf-8"))
        (urls,) = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == "_urls"]
        addresses = _airtable_addresses(urls)
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and function not in urls.body:
                text = ast.unparse(function)
                used = {verb.upper() for verb in re.findall(r"api\.(get|post|patch|delete)\(", text)}
                used |= {verb.upper() for verb in re.findall(r"request[s]?\((?:method=)?'(\w+)'", text)}
                used |= {"PUT", "PATCH"} if "method=method" in text else set()
                for address in re.findall(r"self\.urls\.(\w+)", text):
                    verbs.setdefault(addresses[address], set()).update(used) if address in addresses else None
    return {
        f"{verb} /v0/{path}": make_facts(content_types=[] if verb in ("GET", "DELETE") else [JSON])
        for path, used in verbs.items()
        for verb in used
    }


def _airtable_addresses(urls: ast.ClassDef) -> dict[str, str]:
    addresses: dict[str, str] = {}

    def value(node: ast.expr) -> str:
        if isinstance(node, ast.BinOp):
            return f"{value(node.left)}/{node.right.value if isinstance(node.right, ast.Constant) else '{}'}"
        if isinstance(node, ast.Call):
            return re.sub(r"\{[^}]*\}", "{}", node.args[0].value)
        return addresses[node.attr if isinstance(node, ast.Attribute) else node.id]

    for node in urls.body:
        if isinstance(node, ast.Assign):
            addresses[node.targets[0].id] = value(node.value)
        elif isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Return):
            returned = node.body[-1].value
            if isinstance(returned, ast.BinOp) and isinstance(returned.left, ast.Attribute) and returned.left.attr in addresses:
                addresses[node.name] = value(returned)
    return addresses
