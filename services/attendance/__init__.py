"""Attendance: seats, minutes, corrections, contacts, screens and measures."""
