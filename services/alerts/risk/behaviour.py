"""What the score remembers of one admission: recent seats, screens and check-ins, nothing else.

Days are ordinals of the site's local calendar. Facts only move forward; a correction is told by
folding the true facts again into an empty `Behaviour`.
"""

from bisect import insort

import msgspec

SEATS_KEPT = 10
ANSWERS_KEPT = 6
ATTENDED, MISSED, CANCELLED_LATE = 0, 1, 2


class Behaviour(msgspec.Struct, array_like=True):
    """Memory of one admission, all of it small.

    `seats` are the last planned sessions by planned day: (day, 0 attended | 1 missed |
    2 cancelled late, days between plan and attendance). `screens` are (day, number of kinds
    found, 1 if opioids), `checkins` are (day, score). `screened` and `opioid_screens` count them all.
    """

    admitted: int | None = None
    first_seen: int | None = None
    last_seen: int | None = None
    level_changed: int | None = None
    last_excused: int | None = None
    last_reached: int | None = None
    attended: int = 0
    missed: int = 0
    seats: list[tuple[int, int, int]] = []
    screens: list[tuple[int, int, int]] = []
    checkins: list[tuple[int, float]] = []
    screened: int = 0
    opioid_screens: int = 0


def admitted(b: Behaviour, day: int) -> None:
    """Admitted on `day`."""
    b.admitted = day


def level_changed(b: Behaviour, day: int) -> None:
    """Moved to another level of care on `day`."""
    b.level_changed = day


def attended(b: Behaviour, day: int, planned_day: int | None = None) -> None:
    """Seen on `day`, in the seat of `planned_day` (None: no seat was planned)."""
    b.attended += 1
    if b.last_seen is None or day > b.last_seen:
        b.last_seen = day
    if b.first_seen is None or day < b.first_seen:
        b.first_seen = day
    planned = day if planned_day is None else planned_day
    _keep_seat(b, (planned, ATTENDED, day - planned))


def missed(b: Behaviour, planned_day: int, *, late_cancellation: bool = False) -> None:
    """Not seen in the seat of `planned_day`."""
    b.missed += 1
    _keep_seat(b, (planned_day, CANCELLED_LATE if late_cancellation else MISSED, 0))


def excused(b: Behaviour, day: int) -> None:
    """A seat of `day` that nobody expected to be taken: neither attended nor missed."""
    b.last_excused = day


def screened(b: Behaviour, day: int, positives: tuple[str, ...] = ()) -> None:
    """A drug screen known on `day`; `positives` are the drugs found, none if negative."""
    opioids = any(drug.lower().startswith(OPIOIDS) for drug in positives)
    b.screened += 1
    b.opioid_screens += int(opioids)
    insort(b.screens, (day, len(positives), int(opioids)))
    if len(b.screens) > ANSWERS_KEPT:
        del b.screens[0]


OPIOIDS = ("opioid", "opiate", "heroin", "fentanyl", "oxycodone", "morphine")


def measured(b: Behaviour, day: int, instrument: str, value: float) -> None:
    """A check-in score known on `day`. Only withdrawal is remembered."""
    if instrument != "withdrawal":
        return
    insort(b.checkins, (day, value))
    if len(b.checkins) > ANSWERS_KEPT:
        del b.checkins[0]


def contacted(b: Behaviour, day: int, *, reached: bool) -> None:
    """A call or message on `day`; `reached` if the person answered."""
    if reached:
        b.last_reached = day


def _keep_seat(b: Behaviour, seat: tuple[int, int, int]) -> None:
    insort(b.seats, seat)
    if len(b.seats) > SEATS_KEPT:
        del b.seats[0]
