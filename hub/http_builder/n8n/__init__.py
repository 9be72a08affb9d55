"""Between a request of the hub and an HTTP Request node of n8n: there, back, and saved into a workflow."""
