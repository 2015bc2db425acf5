"""The programmes of a site."""

from handrail.events import care
from handrail.receipts import Moment, Rejected
from handrail.sites import Site
from intake import commands
from intake.facts import Program
from intake.rules import level

# The catalogue of a site is one stream, on its first partition.
PARTITION = 0


def list_program(
    site: Site, command: commands.ListProgram, moment: Moment
) -> tuple[Program, care.ProgramListed]:
    """The programme as anyone may read of it. Raises Rejected."""
    low, high = level.band(
        command.instrument, command.edition, command.level_of_care, command.age_group
    )
    if not low <= command.weekly_minutes < high:
        raise Rejected(
            "hours_outside_level",
            f"That level has {low // 60} to {(high - 1) // 60} hours a week.",
            "weekly_minutes",
        )
    if command.instrument == "locus" and command.focus != "mental_health":
        raise Rejected("instrument_not_for_focus", "LOCUS is for mental health only.", "instrument")
    for window in command.meets:
        if window.ends <= window.starts:
            raise Rejected("ends_before_it_begins", "A session ends after it begins.", "meets")
    facts = command.model_dump(include=_LISTED)
    event = care.ProgramListed(
        site_id=site.site_id,
        occurred_at=command.occurred_at,
        recorded_at=moment.recorded_at,
        recorded_day=moment.recorded_day,
        partition=PARTITION,
        **facts,
    )
    program = Program(
        site_id=site.site_id,
        **{name: getattr(event, name) for name in _LISTED},
    )
    return program, event


def unlist_program(
    site: Site, command: commands.UnlistProgram, moment: Moment
) -> care.ProgramUnlisted:
    """The programme takes nobody new."""
    return care.ProgramUnlisted(
        site_id=site.site_id,
        occurred_at=command.occurred_at,
        recorded_at=moment.recorded_at,
        recorded_day=moment.recorded_day,
        partition=PARTITION,
        program_id=command.program_id,
    )


_LISTED = {
    "program_id",
    "focus",
    "age_group",
    "instrument",
    "edition",
    "level_of_care",
    "track",
    "weekly_minutes",
    "session_types",
    "modes",
    "places",
    "meets",
}
