"""The demo user of the seed, public on purpose: made in development only, and named there on the sign-in page."""

DEMO_EMAIL = "demo@ai-http.com"
DEMO_PASSWORD = "password123"  # noqa: S105
