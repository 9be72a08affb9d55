"""The demo: a real n8n with a small shop's workflows beside the hub, and the recordings of the sample instance."""
