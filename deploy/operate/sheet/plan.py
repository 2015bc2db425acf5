"""What each row of a spreadsheet says, as commands; and which rows say nothing that is understood."""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from handrail.sites import zone_of
from operate.replay.rows import BadRow, checked, lines_of
from operate.sheet.mapping import Mapping, What

STAYS = frozenset({"referral", "admitted", "discharged", "hold", "resumed"})
NOON = time(12)
Command = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is understood."""

    line: int
    person: str
    what: What
    day: date
    at: datetime
    cells: dict[str, str]


@dataclass(slots=True)
class Sheet:
    """All rows by person, in the order of their days; and those that are not understood."""

    people: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    rejected: list[tuple[int, str]] = field(default_factory=list)
    count: int = 0


def read_sheet(path: Path, mapping: Mapping, key: bytes) -> Sheet:
    """Read it. Raises OperateError where the file or a column is missing."""
    sheet = Sheet()
    for line, cells in lines_of(path, mapping.columns.named()):
        sheet.count += 1
        try:
            row = _row(line, checked(cells), mapping, key)
        except BadRow as bad:
            sheet.rejected.append((line, str(bad)))
            continue
        sheet.people[row.person].append(row)
    for rows in sheet.people.values():
        rows.sort(key=lambda row: (row.at, row.line))
    return sheet


def _row(line: int, found: dict[str, str], mapping: Mapping, key: bytes) -> Row:
    columns = mapping.columns.model_dump()
    cells = {name: found[head].strip() for name, head in columns.items() if head}
    if not 0 < len(cells["person"]) <= 200:
        raise BadRow("person: needs 1 to 200 characters")
    what = mapping.what.get(cells["what"])
    if what is None:
        raise BadRow("what: the mapping's [what] does not have this word")
    zone = zone_of(mapping.time_zone)
    day = _parsed(cells["day"], mapping.dates.day, "day").date()
    hour = _parsed(cells["time"], mapping.dates.time, "time").time() if cells.get("time") else NOON
    at = datetime.combine(day, hour, zone)
    if not 1900 <= day.year < 2200 or day > datetime.now(UTC).astimezone(zone).date():
        raise BadRow("day: it has not come yet, or is no day of this time")
    return Row(line, _name(key, mapping.source, cells["person"]), what, day, at, cells)


def _parsed(written: str, form: str, name: str) -> datetime:
    try:
        return datetime.strptime(written, form)  # noqa: DTZ007  # the zone is the mapping's
    except ValueError:
        message = f"{name}: it is not written as the mapping's [dates] says"
        raise BadRow(message) from None


def _name(key: bytes, *parts: str) -> str:
    """A name that can be compared and not read."""
    return hmac.digest(key, "\x1f".join(("csv", *parts)).encode(), hashlib.sha256).hex()


def stays(mapping: Mapping, rows: Iterable[Row]) -> Iterator[tuple[Row, Command]]:
    """What intake is told of one person: a referral first, in whatever row they stand first."""
    ordered = list(rows)
    named = next((row for row in ordered if row.what == "referral"), ordered[0])
    source = mapping.sources.get(named.cells.get("source", ""), "other")
    first = ordered[0]
    yield (
        first,
        _head(mapping, first, first.person)
        | {
            "do": "receive_referral",
            "site_id": mapping.site_id,
            "time_zone": mapping.time_zone,
            "referral_source": source,
        },
    )
    for row in ordered:
        if row.what in STAYS and row.what != "referral":
            about = {"referral_key": row.person, **_stay(mapping, row)}
            yield row, _head(mapping, row, _key(row)) | about


def _stay(mapping: Mapping, row: Row) -> Command:
    reason = row.cells.get("reason", "")
    if row.what == "discharged":
        ended = {"reason": mapping.ends.get(reason, "other")}
        return {"do": "discharge", "discharged_on": row.day.isoformat(), **ended}
    if row.what == "hold":
        return {"do": "put_on_hold", "reason": mapping.holds.get(reason, "leave")}
    if row.what == "resumed":
        return {"do": "resume"}
    program = mapping.programs.get(row.cells.get("program", ""), mapping.program)
    if program is None:
        raise BadRow("program: the mapping's [programs] does not have this word")
    return {
        "do": "complete_intake",
        "admitted_on": row.day.isoformat(),
        # The sheet says that the person is in care; whoever took them in has assessed them.
        "eligibility_waived_for": "assessed_elsewhere",
        **program.model_dump(),
    }


def seat(mapping: Mapping, row: Row, admission_id: str, key: bytes) -> Command:
    """What attendance is told of a row. Raises BadRow."""
    name = row.cells.get("session", "")
    sitting = mapping.sittings.get(name, mapping.sitting)
    place = _name(key, mapping.source, "session", name, row.at.isoformat())
    command = _head(mapping, row, _key(row)) | {
        "admission_id": admission_id,
        "session_key": place,
        "session": {
            "session_type": sitting.session_type,
            "modality": sitting.modality,
            "planned_on": row.day.isoformat(),
            "planned_minutes": sitting.planned_minutes,
        },
    }
    if row.what == "excused":
        return command | {"do": "record_excused"}
    if row.what != "attended":
        reason = mapping.reasons.get(row.cells.get("reason", ""), "unknown")
        return command | {"do": "record_missed", "kind": row.what, "reason": reason}
    minutes = _minutes(row.cells.get("minutes", ""), sitting.planned_minutes)
    seen = {"attended_on": row.day.isoformat(), "minutes": minutes, "mode": sitting.mode}
    return command | {"do": "record_attended"} | seen


def _minutes(written: str, planned: int) -> int:
    if not written:
        return planned
    if not written.isascii() or not written.isdecimal() or int(written[:6]) > 1440:
        raise BadRow("minutes: needs a whole number up to 1440")
    return int(written)


def _head(mapping: Mapping, row: Row, key: str) -> Command:
    return {"source": mapping.source, "key": key, "occurred_at": row.at.isoformat()}


def _key(row: Row) -> str:
    """The same row, whatever line it stands on, is one command."""
    told = (row.what, row.at.isoformat(), row.cells.get("session", ""))
    return f"{row.person[:40]}:{hashlib.sha256(repr(told).encode()).hexdigest()[:40]}"
