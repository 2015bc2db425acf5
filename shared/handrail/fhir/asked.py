"""What a search asks for, read from its query; what is not understood is refused by its name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from handrail.receipts import Rejected

MOST, USUAL = 200, 50
ADMISSION, PATIENT = "urn:handrail:admission", "urn:handrail:patient"
_PAGING = frozenset({"_count", "_cursor", "_format", "_pretty"})
_LONGEST_ID = 64


class BadSearch(Rejected):
    """A parameter that is not known here, or has no such value."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Empty is anything; `until` is the last day. `programs` is None for all."""

    ids: tuple[str, ...] | None = None
    patients: tuple[UUID, ...] | None = None
    statuses: tuple[str, ...] | None = None
    since: date | None = None
    until: date | None = None
    programs: tuple[str, ...] | None = None
    client: str | None = None
    after: str = ""
    limit: int = USUAL

    def uuids(self) -> list[UUID] | None:
        """The ids that are UUIDs; None where none is asked for."""
        return None if self.ids is None else _uuids(self.ids)

    def uuid_after(self) -> UUID | None:
        """Where the page before ended, in a search by UUIDs; None at the first."""
        return uuid_of(self.after)

    def among(self, known: Mapping[str, str]) -> list[str] | None:
        """Our own words for the statuses asked for: `known` says which status is which of FHIR's."""
        if self.statuses is None:
            return None
        return [ours for ours, theirs in known.items() if theirs in self.statuses]


def read(pairs: Sequence[tuple[str, str]], known: Iterable[str], statuses: Iterable[str]) -> Asked:
    """A search for resources. Raises BadSearch."""
    unknown = {name for name, _ in pairs} - {*known, *_PAGING}
    if unknown:
        raise BadSearch(
            "parameter_not_known", "There is no such search parameter here; see metadata."
        )
    words: dict[str, list[str]] = {}
    for name, value in pairs:
        words.setdefault(name, []).append(value)
    once = {name: values[-1] for name, values in words.items()}
    if "xml" in once.get("_format", ""):
        raise BadSearch("format_not_known", "Only JSON is spoken here.", "_format")
    since, until = _days(words.get("date", []))
    return Asked(
        ids=_ids(once.get("_id")),
        patients=_patients(once.get("patient", once.get("subject"))),
        statuses=_statuses(once.get("status"), set(statuses)),
        since=since,
        until=until,
        after=once.get("_cursor", "")[:_LONGEST_ID],
        limit=_count(once.get("_count")),
    )


def _count(word: str | None) -> int:
    if word is None:
        return USUAL
    if not (word.isascii() and word.isdecimal() and len(word) < 10 and int(word) > 0):
        raise BadSearch("count_invalid", "A whole number from 1 on.", "_count")
    return min(int(word), MOST)


def _ids(word: str | None) -> tuple[str, ...] | None:
    return None if word is None else tuple(part[:_LONGEST_ID] for part in word.split(",")[:MOST])


def _statuses(word: str | None, known: set[str]) -> tuple[str, ...] | None:
    if word is None:
        return None
    # A token may name its system: `http://hl7.org/fhir/episode-of-care-status|active`.
    asked = tuple(part.rpartition("|")[2] for part in word.split(","))
    if not set(asked) <= known:
        raise BadSearch("status_not_known", "There is no such status of this resource.", "status")
    return asked


def _patients(word: str | None) -> tuple[UUID, ...] | None:
    """`Patient/{id}`, `{id}` or `system|{id}`; whoever is no identifier of ours is nobody."""
    if word is None:
        return None
    parts = (part.rpartition("|")[2].removeprefix("Patient/") for part in word.split(",")[:MOST])
    return tuple(_uuids(parts))


def _uuids(words: Iterable[str]) -> list[UUID]:
    return [found for word in words if (found := uuid_of(word))]


def uuid_of(word: str) -> UUID | None:
    """What is no UUID names nothing here."""
    try:
        return UUID(word)
    except ValueError:
        return None


_ONE = timedelta(days=1)


def _days(words: Sequence[str]) -> tuple[date | None, date | None]:
    since, until = date.min, date.max
    for word in words:
        prefix, day = _day(word)
        first = {"gt": day + _ONE, "ge": day, "eq": day}.get(prefix, since)
        last = {"lt": day - _ONE, "le": day, "eq": day}.get(prefix, until)
        since, until = max(since, first), min(until, last)
    return (since if since > date.min else None), (until if until < date.max else None)


def _day(word: str) -> tuple[str, date]:
    prefix, rest = (word[:2], word[2:]) if word[:2].isalpha() else ("eq", word)
    try:
        day = date.fromisoformat(rest[:10])
    except ValueError:
        day = date.min
    if prefix not in ("eq", "gt", "ge", "lt", "le") or not 1900 <= day.year <= 2200:
        raise BadSearch("date_invalid", "As 2026-11-02, ge2026-11-02 or lt2026-11-02.", "date")
    return prefix, day
