"""Code for receivers: checks a message's signature in three languages. ``docs/webhooks.md`` shows the same."""

from __future__ import annotations

PYTHON = '''\
import base64, hashlib, hmac, time


def verify(secret: str, headers, body: bytes) -> bool:
    """body: the bytes as they came; headers: names in lower case."""
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        return False  # too old: somebody may be sending it again
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{message_id}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    signatures = headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(f"v1,{expected}", signature) for signature in signatures)
'''

JAVASCRIPT = """\
const crypto = require("node:crypto");

// body: the text as it came, before JSON.parse; headers: names in lower case.
function verify(secret, headers, body) {
  const id = headers["webhook-id"], timestamp = headers["webhook-timestamp"];
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const digest = crypto.createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  const expected = Buffer.from(`v1,${digest}`);
  return headers["webhook-signature"].split(" ").some((signature) => {
    const given = Buffer.from(signature);
    return given.length === expected.length && crypto.timingSafeEqual(given, expected);
  });
}
"""

N8N = """\
// Code node after a Webhook node with the option "Raw Body". The node may use crypto where the
// n8n allows it: NODE_FUNCTION_ALLOW_BUILTIN=crypto.
const crypto = require("crypto");
const secret = "whsec_...";

const { headers } = $input.first().json;
const body = await this.helpers.getBinaryDataBuffer(0, "data");
const id = headers["webhook-id"], timestamp = headers["webhook-timestamp"];
const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
const expected = Buffer.from("v1," + crypto.createHmac("sha256", key).update(content).digest("base64"));
const isFresh = Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
const isSigned = headers["webhook-signature"].split(" ").some((signature) => {
  const given = Buffer.from(signature);
  return given.length === expected.length && crypto.timingSafeEqual(given, expected);
});
if (!isFresh || !isSigned) throw new Error("The signature is wrong");
return [{ json: JSON.parse(body.toString()) }];
"""

#: (name, code)
SNIPPETS = (("Python", PYTHON), ("JavaScript (Node.js)", JAVASCRIPT), ("n8n Code node", N8N))
