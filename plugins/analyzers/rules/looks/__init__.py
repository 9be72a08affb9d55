"""Closer looks at a failure: what went wrong in detail, and the edits that repair it. One module for each of the catalogue."""
