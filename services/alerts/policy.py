"""The ladder: what raises which level, whom it tells and how soon; one version of data a site."""

from dataclasses import dataclass, field
from types import MappingProxyType

from handrail.events.alerts import Role


@dataclass(frozen=True, slots=True)
class Policy:
    """Default ladder of Handrail's alerting page; every number may differ by site."""

    version: str = "2026-11"
    misses_in_a_row: int = 3
    misses_within_days: int = 2
    within_days: int = 7
    early_days: int = 21
    silent_days: int = 7
    # A weekly programme is not silent after one quiet week: also this many sessions' worth.
    silent_sessions: float = 2.0
    dose_low: float = 0.25
    dose_short: float = 0.5
    # Dose is judged where a week has several sessions to judge it by.
    dose_sessions: int = 2
    first_session_days: int = 2
    push_to_level: int = 2
    attempts: int = 3
    attempt_days: int = 3
    attempt_channels: int = 2
    tells: MappingProxyType[int, tuple[Role, ...]] = field(
        default_factory=lambda: MappingProxyType(
            {
                0: ("primary_clinician", "on_call"),
                1: ("primary_clinician", "case_manager", "supervisor"),
                2: ("primary_clinician", "case_manager"),
                3: ("list",),
            }
        )
    )
    first_attempt_hours: MappingProxyType[int, float] = field(
        default_factory=lambda: MappingProxyType({0: 1.0, 1: 8.0, 2: 24.0, 3: 48.0})
    )
    escalate_to: MappingProxyType[int, tuple[Role, ...]] = field(
        default_factory=lambda: MappingProxyType(
            {
                0: ("supervisor",),
                1: ("medical_director",),
                2: ("supervisor",),
                3: ("case_manager",),
            }
        )
    )


DEFAULT = Policy()
