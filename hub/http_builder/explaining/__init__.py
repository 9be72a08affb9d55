"""Explaining a request that failed: the same analyzers as for an execution, and their changes brought back to the request."""
