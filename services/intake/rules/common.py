"""What all of intake's rules use."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any, TypeAlias

from handrail.events import AdmissionEvent
from handrail.receipts import Rejected
from intake.facts import Admission, Matter

Decided: TypeAlias = tuple[Admission, tuple[AdmissionEvent, ...]]


def require(admission: Admission, statuses: Iterable[str]) -> None:
    """Raise Rejected unless the admission has one of these statuses."""
    if admission.status not in statuses:
        wanted = " or ".join(sorted(statuses)).replace("_", " ")
        raise Rejected(
            "wrong_status",
            f"The admission is {admission.status.replace('_', ' ')}; this needs {wanted}.",
            "admission_id",
        )


def require_by_now(matter: Matter, day: date, field: str) -> None:
    """Raise Rejected for a day that has not come yet."""
    if day > matter.recorded_day:
        raise Rejected("in_the_future", "That day has not come yet.", field)


def require_since_admission(matter: Matter, day: date, field: str) -> None:
    """Raise Rejected for a day before the admission."""
    admitted_on = matter.admission.admitted_on
    if admitted_on and day < admitted_on:
        raise Rejected("before_admission", "The person was not admitted by then.", field)


def chart(admission: Admission, **parts: Any) -> Admission:
    """The admission with these parts of its chart replaced."""
    return replace(admission, chart=admission.chart.model_copy(update=parts))
