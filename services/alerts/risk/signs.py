"""The signs the score reads from a behaviour at a day's end, as plain numbers in a fixed order."""

from itertools import pairwise

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
        *_recent_misses(seats),
        _recent_visits(seats, day - VISIT_UNITS * (WEEK if interval > OFTEN else HALF_WEEK)),
        len(seats),
        *_screens(b),
        int(b.level_changed is not None),
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


def _recent_misses(seats: list[tuple[int, int, int]]) -> tuple[float, int, int]:
    """Weight of the misses over the weight of all seats, and the two weights."""
    missed = total = 0
    for seat, weight in zip(reversed(seats), WEIGHTS, strict=False):
        total += weight
        if seat[1]:
            missed += weight
    return missed / (total + WEIGHT_OF_DOUBT), missed, total


def _recent_visits(seats: list[tuple[int, int, int]], after: float) -> int:
    return sum(1 for seat in seats if not seat[1] and seat[0] + seat[2] > after)


def _screens(b: Behaviour) -> tuple[float, ...]:
    """Visits since the last screen, whether the first is due, the last answer, and the history.

    A programme that does not screen has no screens to miss: after the first sessions no sign.
    """
    if not b.screens:
        early = len(b.seats) <= SCREENED_BY
        return (_unscreened(b) if early else 0), int(early), int(early), 0, 0.5 * early, 0, 0
    _, kinds, opioids = b.screens[-1]
    share = (b.opioid_screens + 0.5) / (b.screened + 1)
    history = (share, b.screened, b.opioid_screens)
    return _unscreened(b), 0, min(kinds, 1), kinds - opioids, *history


def _unscreened(b: Behaviour) -> int:
    last = b.screens[-1][0] if b.screens else -1
    return sum(1 for seat in b.seats if not seat[1] and seat[0] + seat[2] > last)


def _withdrawal(b: Behaviour) -> float:
    scores = [score for _, score in b.checkins[-3:]]
    return sum(scores) / len(scores) if scores else 0.0
