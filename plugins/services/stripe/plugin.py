"""Stripe: payments, customers, refunds."""
