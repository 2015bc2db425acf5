"""Aftercare: step-down, hand-off, follow-up and return to care."""
