"""A roster as it is typed: what the form says of each seat, and what attendance is told. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from handrail.sites import Site

STATUSES = ("attended", "no_show", "late_cancellation", "excused")
LONGEST = 1440


class Slip(Exception):
    """Something in the form cannot be meant; `place` is the seat, from 0."""

    def __init__(self, code: str, place: int | None = None) -> None:
        """`code` names the text that says what to do."""
        super().__init__(code)
        self.code, self.place = code, place


@dataclass(frozen=True, slots=True)
class Seat:
    """One line of the form. `typed` is what was sent last, to be shown again."""

    admission_id: str
    status: str
    minutes: int
    minutes_late: int
    typed: Mapping[str, str]

    @property
    def is_open(self) -> bool:
        """Whether nothing is recorded of it."""
        return self.status == "scheduled"


def seats_of(session: Mapping[str, Any], typed: Mapping[str, str]) -> list[Seat]:
    """Everyone who sits in this session, in a fixed order."""
    return [
        Seat(
            str(seat["admission_id"]),
            seat["status"],
            seat["minutes"],
            seat["minutes_late"],
            {
                name: typed.get(f"{name}.{seat['admission_id']}", "")
                for name in ("status", "minutes", "late", "early")
            },
        )
        for seat in session["roster"]
        if seat["moved_to"] is None
    ]


def entries(seats: list[Seat], planned: int) -> list[dict[str, Any]]:
    """What was said of the seats, as attendance takes it. Raises Slip.

    Minutes that nobody typed are the planned ones, less those someone came late. Seats recorded
    meanwhile are said too: the same roster sent again is known by its key, another is refused.
    """
    found = [
        _entry(place, seat, planned) for place, seat in enumerate(seats) if seat.typed["status"]
    ]
    if not found:
        raise Slip("nobody_marked")
    return found


def _entry(place: int, seat: Seat, planned: int) -> dict[str, Any]:
    status = seat.typed["status"]
    if status not in STATUSES:
        raise Slip("field_unknown", place)
    said: dict[str, Any] = {"admission_id": seat.admission_id, "status": status}
    if status != "attended":
        return said
    late = _minutes(seat.typed["late"], 0, place)
    minutes = _minutes(seat.typed["minutes"], max(planned - late, 0), place)
    early = seat.typed["early"] == "1"
    return said | {"minutes": minutes, "minutes_late": late, "left_early": early}


def _minutes(word: str, otherwise: int, place: int) -> int:
    word = word.strip()
    if not word:
        return otherwise
    if not (word.isascii() and word.isdigit() and len(word) <= 4 and int(word) <= LONGEST):
        raise Slip("minutes_unclear", place)
    return int(word)


def key_of(session_id: UUID, said: list[dict[str, Any]]) -> str:
    """The same words about the same session have the same key: however often sent, taken once."""
    words = json.dumps(said, sort_keys=True)
    return f"roster/{session_id}/{hashlib.sha256(words.encode()).hexdigest()[:32]}"


def command(
    session: Mapping[str, Any], said: list[dict[str, Any]], site: Site, now: datetime
) -> dict[str, Any]:
    """The command to attendance. A roster speaks of the session's end, or of now if it goes on."""
    session_id = UUID(str(session["session_id"]))
    body = {
        "do": "take_roster",
        "source": "page",
        "key": key_of(session_id, said),
        "session_id": str(session_id),
        "entries": said,
    }
    if site.clock == "replay":
        # A recorded history goes on at noon of its next day.
        at = site.end_of(site.closed_through) + timedelta(hours=12)
        return body | {"occurred_at": at.isoformat(), "recorded_at": at.isoformat()}
    return body | {"occurred_at": min(now, _end(session) or now).isoformat()}


def _end(session: Mapping[str, Any]) -> datetime | None:
    if not session["starts_at"]:
        return None
    starts = datetime.fromisoformat(session["starts_at"])
    return starts + timedelta(minutes=session["planned_minutes"])


def today(site: Site, now: datetime | None = None) -> date:
    """The day a roster is taken on: the local one, or the next of a recorded history."""
    if site.clock == "replay":
        return site.closed_through + timedelta(days=1)
    return site.day_of(now or datetime.now(UTC))
