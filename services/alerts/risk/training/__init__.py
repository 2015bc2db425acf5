"""Trains the table from recorded histories. Development only: no service imports it."""
