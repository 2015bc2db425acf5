"""The reasons in words: neutral, about what happened, never about why."""

from collections.abc import Callable

from alerts.risk.assessment import Assessment, Reason

Numbers = tuple[float | int | str, ...]


def reasons_in_words(assessment: Assessment) -> list[str]:
    """One short phrase a reason, the weightiest first; points that lower the risk come last."""
    ranked = sorted(assessment.reasons, key=lambda reason: -reason.points)
    return [reason_in_words(reason) for reason in ranked]


def reason_in_words(reason: Reason) -> str:
    """The phrase of one reason; its code where no phrase is known."""
    phrase = _PHRASES.get(reason.code)
    return phrase(reason.numbers) if phrase else reason.code.replace("_", " ")


def _count(number: float | str, noun: str) -> str:
    return f"{number:g} {noun}" if number == 1 else f"{number:g} {noun}s"


def _run(numbers: Numbers) -> str:
    return f"missed {_count(numbers[0], 'session')} in a row"


def _silence(numbers: Numbers) -> str:
    return (
        f"last seen {_count(numbers[0], 'day')} ago, "
        f"with a session about every {_count(round(float(numbers[1]), 1), 'day')}"
    )


def _earlier(numbers: Numbers) -> str:
    if not numbers[0]:
        return f"missed none of {_count(numbers[1], 'earlier session')}"
    return f"missed {numbers[0]:g} of {_count(numbers[1], 'earlier session')}"


def _kept(numbers: Numbers) -> str:
    return f"kept {_count(numbers[0], 'session')} since the last miss"


def _days_in_care(numbers: Numbers) -> str:
    return f"{_count(numbers[0], 'day')} in care"


def _opioids(numbers: Numbers) -> str:
    if not numbers[1]:
        return "no drug screen on file"
    return f"opioids in {numbers[0]:g} of the last {_count(numbers[1], 'drug screen')}"


def _unscreened(numbers: Numbers) -> str:
    return f"{_count(numbers[0], 'visit')} since the last drug screen"


def _gap(numbers: Numbers) -> str:
    return f"longest recent time between visits {_count(numbers[0], 'day')}"


def _interval(numbers: Numbers) -> str:
    return f"a session about every {_count(round(float(numbers[0]), 1), 'day')}"


def _recent_misses(numbers: Numbers) -> str:
    return f"recent misses weigh {numbers[0]:g} of {numbers[1]:g}"


def _recent_visits(numbers: Numbers) -> str:
    return f"{_count(numbers[0], 'visit')} in the last six weeks"


def _sessions_known(numbers: Numbers) -> str:
    return f"{_count(numbers[0], 'session')} planned so far"


def _last_screen(numbers: Numbers) -> str:
    return "drugs found in the last screen" if numbers[0] else "no drugs found in the last screen"


def _other_drugs(numbers: Numbers) -> str:
    return f"{_count(numbers[0], 'drug')} other than opioids in the last screen"


def _opioid_history(numbers: Numbers) -> str:
    if not numbers[1]:
        return "no drug screen on file"
    return f"opioids in {numbers[0]:g} of {_count(numbers[1], 'drug screen')}"


def _not_screened_yet(_numbers: Numbers) -> str:
    return "no drug screen yet in the first sessions"


def _level_unchanged(_numbers: Numbers) -> str:
    return "no change of the level of care so far"


_PHRASES: dict[str, Callable[[Numbers], str]] = {
    "misses_in_a_row": _run,
    "silence": _silence,
    "earlier_misses": _earlier,
    "kept_since_miss": _kept,
    "days_in_care": _days_in_care,
    "opioid_screens": _opioids,
    "unscreened_visits": _unscreened,
    "longest_gap": _gap,
    "sparse_sessions": _interval,
    "recent_misses": _recent_misses,
    "recent_visits": _recent_visits,
    "sessions_known": _sessions_known,
    "time_in_care": _days_in_care,
    "not_screened_yet": _not_screened_yet,
    "last_screen": _last_screen,
    "other_drugs": _other_drugs,
    "opioid_history": _opioid_history,
    "level_unchanged": _level_unchanged,
}
