"""The signs the score reads from a behaviour at a day's end, as plain numbers in a fixed order."""

from itertools import pairwise

from alerts.risk.behaviour import Behaviour

WEEK = 7.0
HALF_WEEK = 3.5
SCREENS_READ = 4
VISITS_READ = 5

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
)


def read_signs(b: Behaviour, day: int) -> tuple[float, ...]:
    """The signs in the order of `SIGNS` as known at the end of `day`."""
    seats = b.seats
    start = b.admitted if b.admitted is not None else day
    seen = b.last_seen if b.last_seen is not None else start
    interval = expected_interval(seats)
    # A programme of five days a week is read in half weeks: two misses in a row are no fortnight.
    unit = WEEK if interval > WEEK else max(interval, HALF_WEEK)
    kept_at = len(seats)
    while kept_at and seats[kept_at - 1][1]:
        kept_at -= 1
    run_seats = len(seats) - kept_at
    run = min(run_seats, 1 + int((seats[-1][0] - seats[kept_at][0]) / unit)) if run_seats else 0
    earlier, kept_since = _earlier(seats, kept_at)
    gap = _longest_gap(seats)
    read = b.screens[-SCREENS_READ:]
    opioids = sum(screen[2] for screen in read)
    return (
        run,
        (day - seen) / unit,
        earlier,
        kept_since,
        day - start,
        opioids / len(read) if read else 0.5,
        _unscreened(b),
        gap / unit,
        interval,
        day - seen,
        kept_at,
        run_seats,
        _withdrawal(b),
        day - b.level_changed if b.level_changed is not None else 999,
        gap,
        len(read),
        opioids,
    )


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


def _longest_gap(seats: list[tuple[int, int, int]]) -> int:
    seen = [seat[0] + seat[2] for seat in seats if not seat[1]][-VISITS_READ:]
    return max((later - first for first, later in pairwise(seen)), default=0)


def _unscreened(b: Behaviour) -> int:
    last = b.screens[-1][0] if b.screens else -1
    return sum(1 for seat in b.seats if not seat[1] and seat[0] + seat[2] > last)


def _withdrawal(b: Behaviour) -> float:
    scores = [score for _, score in b.checkins[-3:]]
    return sum(scores) / len(scores) if scores else 0.0
