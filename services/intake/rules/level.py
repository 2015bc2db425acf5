"""Levels of care, by the instrument and edition that name them, against the prescribed hours."""

from typing import Protocol

from handrail.events.care import AgeGroup, Focus
from handrail.receipts import Rejected
from intake.facts import Matter

_HOUR = 60
_WEEK = 7 * 24 * _HOUR
# Minutes a week from, and below which. ASAM 2.1: 9 to 19 h for adults, from 6 h for adolescents.
Band = tuple[int, int]
_ASAM_ADULT: dict[str, Band] = {
    "1": (0, 9 * _HOUR),
    "2.1": (9 * _HOUR, 20 * _HOUR),
    "2.5": (20 * _HOUR, _WEEK + 1),
}
_ASAM_ADOLESCENT = _ASAM_ADULT | {"1": (0, 6 * _HOUR), "2.1": (6 * _HOUR, 20 * _HOUR)}
_AROUND_THE_CLOCK: Band = (0, _WEEK + 1)
_RESIDENTIAL = ("3.1", "3.5", "3.7", "4")
_ASAM_MORE: dict[str, tuple[str, ...]] = {
    "3": ("0.5", "3.3", "2-wm", "1-wm", *_RESIDENTIAL),
    "4": ("2.7", *_RESIDENTIAL),
}
_ASAM_OUTPATIENT: dict[str, dict[str, str]] = {
    "3": {"1": "1", "2.1": "2.1", "2.5": "2.5"},
    "4": {"1": "1", "1.0": "1", "1.5": "1", "1.7": "1", "2.1": "2.1", "2.5": "2.5"},
}
# LOCUS 20: level 3, high-intensity community-based services, is intensive outpatient.
_LOCUS: dict[str, Band] = {
    "1": (0, 9 * _HOUR),
    "2": (0, 9 * _HOUR),
    "3": (9 * _HOUR, 20 * _HOUR),
    "4": (20 * _HOUR, _WEEK + 1),
    "5": _AROUND_THE_CLOCK,
    "6": _AROUND_THE_CLOCK,
}
_LOCUS_EDITIONS = frozenset({"20", "2016"})


class Stated(Protocol):
    """Anything that names a level of care."""

    @property
    def instrument(self) -> str | None:
        """The instrument."""

    @property
    def edition(self) -> str | None:
        """Its edition."""

    @property
    def level_of_care(self) -> str | None:
        """The level."""


class Rated(Stated, Protocol):
    """Anything that has a level of care."""

    @property
    def age_group(self) -> AgeGroup:
        """Whom it is for."""


def band(instrument: str, edition: str, level: str, age_group: str = "adult") -> Band:
    """The minutes a week of a level: from, and below which. Raises Rejected for an unknown one."""
    known: dict[str, Band]
    if instrument == "locus":
        if edition not in _LOCUS_EDITIONS:
            raise Rejected("edition_not_known", "LOCUS has the edition 20.", "edition")
        known = _LOCUS
    else:
        if edition not in _ASAM_OUTPATIENT:
            raise Rejected("edition_not_known", "ASAM has the editions 3 and 4.", "edition")
        bands = _ASAM_ADOLESCENT if age_group == "adolescent" else _ASAM_ADULT
        known = {name: bands[as_] for name, as_ in _ASAM_OUTPATIENT[edition].items()}
        known |= dict.fromkeys(_ASAM_MORE[edition], _AROUND_THE_CLOCK)
    if level not in known:
        raise Rejected("level_not_known", "That edition has no such level.", "level_of_care")
    return known[level]


def require_fit(matter: Matter, rated: Rated, weekly_minutes: int) -> None:
    """Raise Rejected where the hours are not those of the level. History is told as it was."""
    if matter.is_played or not (rated.instrument and rated.edition and rated.level_of_care):
        return
    low, high = band(rated.instrument, rated.edition, rated.level_of_care, rated.age_group)
    if not low <= weekly_minutes < high:
        raise Rejected(
            "hours_outside_level",
            f"That level has {low // _HOUR} to {(high - 1) // _HOUR} hours a week.",
            "weekly_minutes",
        )


def require_instrument(matter: Matter, instrument: str, focus: Focus | None) -> None:
    """Raise Rejected for LOCUS outside mental health."""
    if instrument == "locus" and focus != "mental_health" and not matter.is_played:
        raise Rejected("instrument_not_for_focus", "LOCUS is for mental health only.", "instrument")


def require_known(matter: Matter, rated: Stated) -> None:
    """Raise Rejected for a level that the edition does not have."""
    if not matter.is_played:
        band(rated.instrument or "", rated.edition or "", rated.level_of_care or "")
