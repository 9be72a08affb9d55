"""Incremental sync: newest first, open executions again, details for failures."""
