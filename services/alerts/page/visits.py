"""Attendance's own rows of a person as seats of the calendar. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from alerts.page.strip import Seat

PLAIN = {
    "no_show": "missed",
    "late_cancellation": "late_cancellation",
    "excused": "excused",
    "cancelled_by_program": "unheld",
    "scheduled": "scheduled",
}


def seats_by_day(rows: Iterable[Mapping[str, Any]]) -> dict[date, list[Seat]]:
    """What became of each seat, on the day it took place or was planned."""
    found: dict[date, list[Seat]] = {}
    for row in rows:
        day, seat = _seat(row)
        found.setdefault(day, []).append(seat)
    return found


def _seat(row: Mapping[str, Any]) -> tuple[date, Seat]:
    held, kind = date.fromisoformat(row["held_on"]), row["session_type"]
    if row["moved_to"]:
        return held, Seat("moved", session_type=kind)
    if row["made_up_in"]:
        return held, Seat("made_up", session_type=kind)
    if row["status"] != "attended":
        return held, Seat(PLAIN.get(row["status"], "scheduled"), session_type=kind)
    day = date.fromisoformat(row["attended_on"] or row["held_on"])
    what = "made_up" if row["planned_on"] and day != date.fromisoformat(row["planned_on"]) else ""
    what = what or ("late" if row["minutes_late"] else "attended")
    early = bool(row["left_early"])
    return day, Seat(what, row["minutes"], row["minutes_late"], kind, early=early)
