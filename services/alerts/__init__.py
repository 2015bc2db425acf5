"""Alerts: who is slipping away, why, and what to do next."""
