"""The real n8n of the tests: the same class that the demo uses."""

from hub.demo.n8n_server import N8nNotInstalled, N8nRefused, N8nServer, free_port

__all__ = ["N8nNotInstalled", "N8nRefused", "N8nServer", "free_port"]
