"""The ladder: what raises which level, whom it tells and how soon; versioned data of each site."""

from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, ClassVar, TypeAlias

from pydantic import ConfigDict, Field, TypeAdapter

from handrail.events.alerts import Role
from handrail.events.base import Code

Count = Annotated[int, Field(ge=1, le=99)]
Days = Annotated[int, Field(ge=1, le=90)]
Share = Annotated[float, Field(ge=0, le=1)]
Chance = Annotated[float, Field(gt=0, le=1)]
Roles = tuple[Role, ...]
# One value for each level, from 0 safety to 3 watch. Hours are hours of the clock.
Hours: TypeAlias = tuple[
    Annotated[float, Field(gt=0, le=1)],
    Annotated[float, Field(gt=0, le=720)],
    Annotated[float, Field(gt=0, le=720)],
    Annotated[float, Field(gt=0, le=720)],
]

# PHQ-9, GAD-7 and the Brief Addiction Monitor, as attendance names their scales.
FORMS_EVERY = (("phq_9", 14), ("gad_7", 14), ("bam_use", 7))


@dataclass(frozen=True, slots=True)
class Policy:
    """The default ladder; every number may differ by site and from a day on."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", hide_input_in_errors=True
    )

    version: Code = "2026-11-c"
    misses_in_a_row: Count = 3
    misses_within_days: Count = 2
    within_days: Days = 7
    # A watched miss rises to elevated at this one of the same absence.
    watched_misses: Count = 2
    early_days: Days = 21
    silent_days: Days = 7
    # A weekly programme is not silent after one quiet week: also this many sessions' worth.
    silent_sessions: Annotated[float, Field(ge=0, le=20)] = 3.0
    dose_low: Share = 0.25
    dose_short: Share = 0.5
    # Dose is judged where a week has several sessions to judge it by.
    dose_sessions: Count = 2
    # Counted misses and days raise level 1 where a week has this many sessions; else level 2.
    counted_sessions: Count = 2
    # Chances of no session in the next 28 days from which the risk raises levels 2 and 1.
    risk_middle: Chance = 0.18
    risk_high: Chance = 0.98
    first_session_days: Days = 2
    # Levels above this one stay on the list. Level 0 and 1 are always pushed.
    push_to_level: Annotated[int, Field(ge=1, le=3)] = 2
    # Within so many days of a return, what is no more than was pushed before it is listed, not
    # pushed; where counted misses raise level 1, as above.
    quiet_days_after_return: Annotated[int, Field(ge=0, le=28)] = 14
    attempts: Count = 3
    attempt_days: Count = 3
    attempt_channels: Annotated[int, Field(ge=1, le=6)] = 2
    tells: tuple[Roles, Roles, Roles, Roles] = (
        ("primary_clinician", "on_call"),
        ("primary_clinician", "case_manager", "supervisor"),
        ("primary_clinician", "case_manager"),
        ("list",),
    )
    first_attempt_hours: Hours = (1.0, 8.0, 24.0, 48.0)
    # A form that was answered is asked again after so many days; longer is overdue.
    forms_every_days: Annotated[tuple[tuple[Code, Days], ...], Field(max_length=20)] = FORMS_EVERY
    # After the first attempt was due; the last level rises by its second miss instead.
    escalate_after_hours: Hours = (1.0, 16.0, 24.0, 24.0)
    escalate_to: tuple[Roles, Roles, Roles, Roles] = (
        ("supervisor",),
        ("medical_director",),
        ("supervisor",),
        (),
    )
    # The longest snooze in hours; safety is never put off.
    snooze_hours: tuple[
        Annotated[float, Field(ge=0, le=0)],
        Annotated[float, Field(ge=0, le=336)],
        Annotated[float, Field(ge=0, le=336)],
        Annotated[float, Field(ge=0, le=336)],
    ] = (0.0, 24.0, 72.0, 336.0)
    # Staffed time, local; outside it nothing but safety is due or told. Monday is 0.
    staffed_weekdays: Annotated[
        tuple[Annotated[int, Field(ge=0, le=6)], ...], Field(min_length=1)
    ] = (0, 1, 2, 3, 4)
    opens: time = time(8)
    closes: time = time(18)
    closures: Annotated[tuple[date, ...], Field(max_length=400)] = ()
    # Pushed alerts that a staffed day can follow up; shown, never a reason to hold one back.
    budget_per_staffed_day: Annotated[float, Field(gt=0, le=1000)] = 2.0

    def __post_init__(self) -> None:
        """Raises ValueError when a staffed day would have no local hours, or safety nobody to tell."""
        if self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError("opens and closes are local, without an offset")
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        if not (self.tells[0] and self.escalate_to[0]):
            raise ValueError("level 0 must tell and escalate to somebody")


DEFAULT = Policy()
POLICIES: TypeAdapter[Policy] = TypeAdapter(Policy)
