"""Turns a site's rows into the commands of the public API, day by day, on replay time."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from operate.replay.rows import Person, Row

ZERO = date(2001, 1, 1)
NOON = datetime(2001, 1, 1, 12, tzinfo=UTC)
INTAKE_KINDS = ("admitted", "stepped", "discharged")
Command = dict[str, Any]


@dataclass(slots=True)
class Script:
    """One site's history in the order of the days it became known on."""

    site_id: str
    first_day: int
    last_day: int
    intake: dict[int, list[tuple[Row | None, Command]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    attendance: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))


def scripts(people: dict[str, Person], rows: list[Row]) -> list[Script]:
    """A script for each site, in order of its name."""
    by_site: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda r: (r.day, r.patient_id, r.seq)):
        by_site[people[row.patient_id].site_id].append(row)
    here: dict[str, list[Person]] = defaultdict(list)
    for person in people.values():
        here[person.site_id].append(person)
    return [_script(site, here[site], by_site.get(site, [])) for site in sorted(here)]


def _script(site_id: str, people: list[Person], rows: list[Row]) -> Script:
    first_seen: dict[str, int] = {}
    for row in rows:
        first_seen.setdefault(row.patient_id, row.day)
    last = max([p.last_eval_day for p in people] + [row.day for row in rows])
    script = Script(site_id, min(p.admitted_day for p in people), last)
    for person in sorted(people, key=lambda p: p.patient_id):
        day = min(first_seen.get(person.patient_id, person.admitted_day), person.admitted_day)
        script.intake[day].append((None, _referral(person, day)))
    for row in rows:
        if row.kind in INTAKE_KINDS:
            script.intake[row.day].append((row, _intake(site_id, row)))
        else:
            script.attendance[row.day].append(row)
    return script


def date_of(day: int) -> str:
    """The calendar date of a study day."""
    return (ZERO + timedelta(days=day)).isoformat()


def day_of(text: str) -> int:
    """The study day of a calendar date."""
    return (date.fromisoformat(text) - ZERO).days


def close(site_id: str, day: int) -> Command:
    """The command that closes a day."""
    at = f"{date_of(day)}T23:59:59Z"
    return {
        "do": "close_day",
        "source": site_id,
        "key": f"close:{date_of(day)}",
        "occurred_at": at,
        "recorded_at": at,
        "site_id": site_id,
        "day": date_of(day),
    }


def days(script: Script) -> Iterator[int]:
    """Every day of the script, in order; days before the first admission only where rows are."""
    early = {day for day in (*script.intake, *script.attendance) if day < script.first_day}
    yield from sorted(early)
    yield from range(script.first_day, script.last_day + 1)


def attendance(site_id: str, row: Row, admission_id: str) -> Command:
    """The attendance command of a row."""
    command = _head(site_id, f"{row.patient_id}:{row.seq}", row.day, row.seq)
    command["admission_id"] = admission_id
    if row.kind == "uds":
        found = [] if row.value in ("", "negative") else row.value.split("|")
        return command | {"do": "record_screen", "positives": [_code(drug) for drug in found]}
    if row.kind == "checkin":
        if not row.value:
            return command | {"do": "record_contact", "channel": "in_person", "reached": True}
        measure = {"instrument": "withdrawal", "score": float(row.value), "safety": False}
        return command | {"do": "record_measure"} | measure
    planned = None if row.session_day is None else date_of(row.session_day)
    command["session"] = {
        "session_type": "medication",
        "modality": "medication",
        "planned_on": planned,
        "planned_minutes": 60,
    }
    if row.kind == "no_show":
        return command | {"do": "record_missed", "kind": "no_show", "reason": "unknown"}
    seen = {"attended_on": date_of(row.day), "minutes": 60, "mode": "in_person"}
    return command | {"do": "record_attended"} | seen


def _referral(person: Person, day: int) -> Command:
    return _head(person.site_id, person.patient_id, day, 0) | {
        "do": "receive_referral",
        "site_id": person.site_id,
        "time_zone": "UTC",
        "clock": "replay",
    }


def _intake(site_id: str, row: Row) -> Command:
    command = _head(site_id, f"{row.patient_id}:{row.seq}", row.day, row.seq)
    command["referral_key"] = row.patient_id
    if row.kind == "stepped":
        return command | {"do": "change_level_of_care", "level_of_care": "1", "edition": "3"}
    if row.kind == "discharged":
        ended = {"reason": "other", "discharged_on": date_of(row.day)}
        return command | {"do": "discharge"} | ended
    return command | {
        "do": "complete_intake",
        "admitted_on": date_of(row.day),
        "program_id": "medication-weekly",
        "edition": "3",
        "level_of_care": "1",
        "weekly_minutes": 60,
        "sessions_per_week": 1,
    }


def _head(site_id: str, key: str, day: int, place: int) -> Command:
    at = (NOON + timedelta(days=day, microseconds=max(place, 0) % 1_000_000)).isoformat()
    return {"source": site_id, "key": key, "occurred_at": at, "recorded_at": at}


def _code(text: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_.+-") else "_" for c in text.lower())
    return kept.strip("_.+-")[:64] or "other"
