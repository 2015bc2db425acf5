"""The signs the score reads from a behaviour at a day's end, as plain numbers in a fixed order."""

from itertools import pairwise
from typing import NamedTuple

from alerts.risk.behaviour import Behaviour

WEEK = 7.0
HALF_WEEK = 3.5
SCREENS_READ = 4
VISITS_READ = 5
# What a miss weighs by its place in the last ten seats, the newest first.
WEIGHTS = (10, 7, 5, 3, 2, 2, 1, 1, 1, 0)
WEIGHT_OF_DOUBT = 2
VISIT_UNITS = 6
OFTEN = 5.0
SCREENED_BY = 6
NEVER = 999

SIGNS = (
    "run",
    "silence",
    "earlier_misses",
    "kept_since",
    "days_in_care",
    "opioid_share",
    "unscreened",
    "longest_gap",
    "interval",
    "silent_days",
    "earlier_seats",
    "run_seats",
    "withdrawal",
    "since_step",
    "gap_days",
    "screens_read",
    "opioid_screens",
    "recent_misses",
    "misses_weigh",
    "seats_weigh",
    "recent_visits",
    "sessions_known",
    "unscreened_visits",
    "not_screened_yet",
    "last_positive",
    "last_others",
    "opioid_history",
    "screened",
    "opioids_found",
    "stepped",
)
_SILENCE, _SILENT_DAYS, _DAYS_IN_CARE, _SINCE_STEP, _RECENT_VISITS = (
    SIGNS.index(name)
    for name in ("silence", "silent_days", "days_in_care", "since_step", "recent_visits")
)


class Standing(NamedTuple):
    """What a behaviour says whatever the day: `signs` in their order, with 0 where the day counts."""

    signs: tuple[float, ...]
    admitted: int | None
    last_seen: int | None
    level_changed: int | None
    unit: float
    visits: tuple[int, ...]
    visit_days: float


def standing(b: Behaviour) -> Standing:
    """Read once for all days until the next fact."""
    seats = b.seats
    interval = expected_interval(seats)
    # A programme of five days a week is read in half weeks: two misses in a row are no fortnight.
    unit = WEEK if interval > WEEK else max(interval, HALF_WEEK)
    kept_at = len(seats)
    while kept_at and seats[kept_at - 1][1]:
        kept_at -= 1
    run_seats = len(seats) - kept_at
    run = min(run_seats, 1 + int((seats[-1][0] - seats[kept_at][0]) / unit)) if run_seats else 0
    earlier, kept_since = _earlier(seats, kept_at)
    visits = tuple([seat[0] + seat[2] for seat in seats if not seat[1]])
    gap = _longest_gap(visits)
    read = b.screens[-SCREENS_READ:]
    opioids = sum([screen[2] for screen in read])
    unscreened = _unscreened(b, visits)
    signs = (
        run,
        0,
        earlier,
        kept_since,
        0,
        opioids / len(read) if read else 0.5,
        unscreened,
        gap / unit,
        interval,
        0,
        kept_at,
        run_seats,
        _withdrawal(b),
        0,
        gap,
        len(read),
        opioids,
        *_recent_misses(seats),
        0,
        len(seats),
        *_screens(b, unscreened),
        int(b.level_changed is not None),
    )
    visit_days = VISIT_UNITS * (WEEK if interval > OFTEN else HALF_WEEK)
    return Standing(signs, b.admitted, b.last_seen, b.level_changed, unit, visits, visit_days)


def signs_on(day: int, s: Standing) -> list[float]:
    """The signs in the order of `SIGNS` as known at the end of `day`."""
    start = s.admitted if s.admitted is not None else day
    silent = day - (s.last_seen if s.last_seen is not None else start)
    signs = list(s.signs)
    signs[_SILENCE] = silent / s.unit
    signs[_SILENT_DAYS] = silent
    signs[_DAYS_IN_CARE] = day - start
    signs[_SINCE_STEP] = day - s.level_changed if s.level_changed is not None else NEVER
    after = day - s.visit_days
    signs[_RECENT_VISITS] = len([visit for visit in s.visits if visit > after])
    return signs


def read_signs(b: Behaviour, day: int) -> list[float]:
    """The signs in the order of `SIGNS` as known at the end of `day`."""
    return signs_on(day, standing(b))


def expected_interval(seats: list[tuple[int, int, int]]) -> float:
    """Days from one planned session to the next: the mean of the seats known and one week."""
    if len(seats) < 2:
        return WEEK
    return (seats[-1][0] - seats[0][0] + WEEK) / len(seats)


def _earlier(seats: list[tuple[int, int, int]], kept_at: int) -> tuple[int, int]:
    missed, kept_since = 0, 0
    for seat in seats[:kept_at]:
        if seat[1]:
            missed += 1
            kept_since = 0
            continue
        kept_since += 1
    return missed, kept_since


def _longest_gap(visits: tuple[int, ...]) -> int:
    seen = visits[-VISITS_READ:]
    return max([later - first for first, later in pairwise(seen)], default=0)


def _recent_misses(seats: list[tuple[int, int, int]]) -> tuple[float, int, int]:
    """Weight of the misses over the weight of all seats, and the two weights."""
    missed = total = 0
    for seat, weight in zip(reversed(seats), WEIGHTS, strict=False):
        total += weight
        if seat[1]:
            missed += weight
    return missed / (total + WEIGHT_OF_DOUBT), missed, total


def _screens(b: Behaviour, unscreened: int) -> tuple[float, ...]:
    """Visits since the last screen, whether the first is due, the last answer, and the history.

    A programme that does not screen has no screens to miss: after the first sessions no sign.
    """
    if not b.screens:
        early = len(b.seats) <= SCREENED_BY
        return (unscreened if early else 0), int(early), int(early), 0, 0.5 * early, 0, 0
    _, kinds, opioids = b.screens[-1]
    share = (b.opioid_screens + 0.5) / (b.screened + 1)
    history = (share, b.screened, b.opioid_screens)
    return unscreened, 0, min(kinds, 1), kinds - opioids, *history


def _unscreened(b: Behaviour, visits: tuple[int, ...]) -> int:
    last = b.screens[-1][0] if b.screens else -1
    return len([visit for visit in visits if visit > last])


def _withdrawal(b: Behaviour) -> float:
    scores = [score for _, score in b.checkins[-3:]]
    return sum(scores) / len(scores) if scores else 0.0
