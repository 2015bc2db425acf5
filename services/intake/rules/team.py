"""The care team: who holds which role, and who covers."""

from collections.abc import Iterable
from datetime import date, timedelta
from uuid import UUID

from handrail.events import care
from handrail.receipts import Rejected
from intake import commands
from intake.facts import BEFORE, OPEN, Matter, Member
from intake.rules.common import Decided, chart, require

MOST_ENTRIES = 60


def assign(matter: Matter, command: commands.AssignRole) -> Decided:
    """The role, from the holder before to the one now."""
    team = _team(matter)
    before = _holder(team, command.role)
    if before and before.staff_id == command.staff_id:
        raise Rejected("role_held", "That member holds the role already.", "staff_id")
    if before and command.from_on < before.from_on:
        raise Rejected("before_holder", "The holder took the role after that day.", "from_on")
    now = Member(role=command.role, staff_id=command.staff_id, from_on=command.from_on)
    told: list[care.CareTeamMemberReleased | care.CareTeamMemberAssigned] = []
    kept = team
    if before:
        gone = [m for m in team if m.role == command.role]
        kept = tuple(m for m in team if m.role != command.role)
        told += [_released(matter, m, command.from_on) for m in gone]
    told.append(_assigned(matter, now))
    return chart(matter.admission, team=_kept((*kept, now))), tuple(told)


def cover(matter: Matter, command: commands.CoverRole) -> Decided:
    """A stand-in for the holder, one at a time."""
    team = _team(matter)
    holder = _holder(team, command.role)
    if holder is None:
        raise Rejected("role_empty", "Nobody holds that role: assign it.", "role")
    if holder.staff_id == command.staff_id:
        raise Rejected("covers_self", "Nobody covers for themselves.", "staff_id")
    if command.until_on < command.from_on:
        raise Rejected("ends_before_it_begins", "The last day comes before the first.", "until_on")
    if command.until_on < matter.recorded_day:
        raise Rejected("in_the_past", "That cover is over already.", "until_on")
    team = _without_past_covers(team, matter.recorded_day)
    for other in team:
        if other.role == command.role and other.covers and _meet(other, command):
            raise Rejected("covered_already", "Someone covers that role then.", "from_on")
    now = Member(
        role=command.role,
        staff_id=command.staff_id,
        from_on=command.from_on,
        until_on=command.until_on,
        covers=holder.staff_id,
    )
    return chart(matter.admission, team=_kept((*team, now))), (_assigned(matter, now),)


def release(matter: Matter, command: commands.ReleaseRole) -> Decided:
    """The end of a role, and of every cover of it; or of one cover."""
    team = _team(matter)
    here = [m for m in team if (m.role, m.staff_id) == (command.role, command.staff_id)]
    if not here:
        raise Rejected("member_unknown", "That member does not hold the role.", "staff_id")
    holds = any(member.covers is None for member in here)
    gone = [m for m in team if m.role == command.role] if holds else here
    kept = tuple(member for member in team if member not in gone)
    told = tuple(_released(matter, member, command.released_on) for member in gone)
    return chart(matter.admission, team=kept), told


def on_duty(team: Iterable[Member], day: date) -> dict[str, UUID]:
    """Who stands for each role on this day: the cover where there is one, else the holder."""
    found: dict[str, UUID] = {}
    covered = set()
    for member in team:
        if day < member.from_on or (member.until_on and day > member.until_on):
            continue
        if member.covers:
            covered.add(member.role)
            found[member.role] = member.staff_id
        elif member.role not in covered:
            found[member.role] = member.staff_id
    return found


def _team(matter: Matter) -> tuple[Member, ...]:
    require(matter.admission, BEFORE | OPEN)
    return matter.admission.chart.team


def _kept(team: tuple[Member, ...]) -> tuple[Member, ...]:
    if len(team) > MOST_ENTRIES:
        raise Rejected("team_full", "Release someone first.", "staff_id")
    return team


def _without_past_covers(team: tuple[Member, ...], today: date) -> tuple[Member, ...]:
    yesterday = today - timedelta(days=1)
    return tuple(m for m in team if m.until_on is None or m.until_on >= yesterday)


def _holder(team: Iterable[Member], role: str) -> Member | None:
    return next((m for m in team if m.role == role and m.covers is None), None)


def _meet(member: Member, command: commands.CoverRole) -> bool:
    assert member.until_on is not None
    return member.from_on <= command.until_on and command.from_on <= member.until_on


def _assigned(matter: Matter, member: Member) -> care.CareTeamMemberAssigned:
    return care.CareTeamMemberAssigned(**matter.about(), **member.model_dump())


def _released(matter: Matter, member: Member, day: date) -> care.CareTeamMemberReleased:
    return care.CareTeamMemberReleased(
        **matter.about(), role=member.role, staff_id=member.staff_id, released_on=day
    )
