"""What all of aftercare's rules use."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any, TypeAlias

from aftercare.facts import HandOff, When
from handrail.events import AdmissionEvent
from handrail.receipts import Rejected

Decided: TypeAlias = tuple[HandOff, tuple[AdmissionEvent, ...]]


def require(hand_off: HandOff, statuses: Iterable[str]) -> None:
    """Raise Rejected unless the hand-off has one of these statuses."""
    if hand_off.status not in statuses:
        wanted = " or ".join(sorted(statuses))
        detail = f"The hand-off is {hand_off.status}; this needs {wanted}."
        raise Rejected("wrong_status", detail, "step_down_id")


def require_day(hand_off: HandOff, day: date, when: When, field: str) -> None:
    """Raise Rejected for a day before the hand-off, or one that has not come yet."""
    if day < hand_off.started_on:
        raise Rejected("before_step_down", "That comes after the step-down.", field)
    if day > when["recorded_day"]:
        raise Rejected("in_the_future", "That day has not come yet.", field)


def chart(hand_off: HandOff, **parts: Any) -> HandOff:
    """The hand-off with these parts of its chart replaced."""
    return replace(hand_off, chart=hand_off.chart.model_copy(update=parts))
