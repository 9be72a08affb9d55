"""Record hub/sample/executions.json.gz anew: run the demo's workflows on a real n8n and keep what its API answers.

Machine paths, resume tokens and the owner of the throw-away n8n are taken out. Ports 8790 and 8791 must be free.
"""

import gzip
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from hub.demo.n8n_server import N8nServer, installation
from hub.demo.shop import Shop
from hub.demo.shop_workflows import create_workflows, read_workflows, run_workflows
from hub.sample import FILE

DROPPED = {"shared", "resumeToken", "authors", "tracingContext", "deduplicationKey", "ownedBy", "homeProject"}
MODULES = re.compile(r"(?:/[\w.@+-]+)+?/node_modules")


def main() -> int:
    workflows = read_workflows()
    shop = Shop()
    shop.start()
    with tempfile.TemporaryDirectory() as folder:
        n8n = N8nServer(Path(folder))
        n8n.start()
        try:
            ids = create_workflows(n8n, workflows)
            executions = [(each, execution) for each, execution in run_workflows(n8n, workflows, ids)]
            documents = {slug: n8n.api("GET", f"/workflows/{workflow_id}") for slug, workflow_id in ids.items()}
        finally:
            n8n.stop()
    recordings = [scrub({"execution": execution, "workflow": documents[each.slug]}) for each, execution in executions]
    text = json.dumps(recordings, ensure_ascii=False, separators=(",", ":"))
    leaks = [word for word in (str(Path.home()), str(installation()), N8nServer.owner_email, n8n.api_key) if word in text]
    if leaks:
        print(f"not written: the recording still holds {leaks}", file=sys.stderr)
        return 1
    # No time of writing in the file: recording the same twice gives the same bytes.
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{FILE.name}: {len(recordings)} executions, {len(text)} bytes, {FILE.stat().st_size} packed")
    return 0


def scrub(value: Any) -> Any:
    """The value without what tells of this machine or opens something."""
    if isinstance(value, dict):
        return {key: scrub(each) for key, each in value.items() if key not in DROPPED}
    if isinstance(value, list):
        return [scrub(each) for each in value]
    return MODULES.sub("/usr/local/lib/node_modules", value) if isinstance(value, str) else value


if __name__ == "__main__":
    sys.exit(main())
