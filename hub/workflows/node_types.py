"""What kind of thing a node type is: a readable name, an icon, and whether it starts a workflow."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class NodeType(NamedTuple):
    """``label`` as people call it ("HTTP Request"), ``icon`` of the sprite."""

    label: str
    icon: str
    is_trigger: bool


#: Icon -> pattern over the type's own name; the first that matches counts. Brand pictures are not ours to draw.
_ICONS = (
    ("webhook", r"^(webhook|respondToWebhook|formTrigger|form)$"),
    ("clock", r"^(schedule(Trigger)?|cron|interval|dateTime)"),
    ("circle-play", r"^(manualTrigger|start|executeWorkflowTrigger)$"),
    ("triangle-alert", r"^errorTrigger$"),
    ("circle-stop", r"^stopAndError$"),
    ("globe", r"^(httpRequest|graphql|rssFeed|html|htmlExtract)"),
    ("code", r"^(code|function|functionItem|aiTransform|executeCommand|toolCode)$"),
    ("git-branch", r"^(if|switch|filter|compareDatasets)$"),
    ("refresh-cw", r"^(splitInBatches|loop)"),
    ("layers", r"^(merge|aggregate|splitOut|itemLists|summarize|removeDuplicates|limit|sort)"),
    ("pencil", r"^(set|editFields|renameKeys|markdown|xml|moveBinaryData|crypto|jwt|editImage)"),
    ("hourglass", r"^wait$"),
    ("arrow-right", r"^noOp$"),
    ("workflow", r"^(executeWorkflow|n8n|n8nTrigger)"),
    ("terminal", r"^(ssh|git|ftp)"),
    ("sparkles", r"(agent|chain|lmChat|lmOpenAi|openAi|anthropic|gemini|mistral|ollama|embeddings|memory|outputParser)"),
    ("sparkles", r"(vectorStore|tool)"),
    ("mail", r"(mail|outlook|smtp|imap|sendGrid|mailgun|mailchimp|brevo)"),
    ("message-square", r"(slack|telegram|discord|whatsApp|mattermost|twilio|teams|chat|rocketchat|matrix)"),
    ("calendar", r"(calendar|calendly|calCom)"),
    (
        "database",
        r"(postgres|mysql|mongo|redis|supabase|airtable|nocoDb|baserow|snowflake|bigQuery|sql|elastic|dataTable|qdrant|pinecone)",
    ),
    ("file-text", r"(sheet|drive|dropbox|file|s3|notion|docs|pdf|oneDrive|excel|box)"),
    ("users", r"(hubspot|pipedrive|salesforce|zoho|crm|linkedIn|intercom|zendesk)"),
    ("code", r"(github|gitlab|jira|linear|bitbucket|sentry|jenkins)"),
)
_COMPILED = tuple((icon, re.compile(pattern, re.IGNORECASE)) for icon, pattern in _ICONS)
_WORDS = {
    "Http": "HTTP",
    "Ai": "AI",
    "Html": "HTML",
    "Xml": "XML",
    "Rss": "RSS",
    "Sql": "SQL",
    "Api": "API",
    "Lm": "LM",
    "N8n": "n8n",
}
_KNOWN = {"set": "Edit Fields", "noOp": "No Operation", "splitInBatches": "Loop Over Items", "if": "If"}


@lru_cache(maxsize=1024)
def describe_type(type_name: str) -> NodeType:
    """The kind of a node type such as ``n8n-nodes-base.httpRequest``."""
    name = type_name.rpartition(".")[2]
    is_trigger = name.endswith("Trigger") or name in ("webhook", "start", "cron", "interval")
    icon = next((icon for icon, pattern in _COMPILED if pattern.search(name)), "zap" if is_trigger else "package")
    return NodeType(_KNOWN.get(name) or _readable(name), icon, is_trigger)


def _readable(name: str) -> str:
    """``httpRequest`` -> "HTTP Request"."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name) or [name]
    return " ".join(_WORDS.get(word[:1].upper() + word[1:], word[:1].upper() + word[1:]) for word in words)
