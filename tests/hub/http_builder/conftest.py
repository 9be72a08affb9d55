from __future__ import annotations

from tests.hub.api.conftest import program, program_of, spec
from tests.hub.http_builder.running.conftest import start_server

__all__ = ["program", "program_of", "spec", "start_server"]
