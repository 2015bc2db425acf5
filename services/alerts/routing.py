"""Which receivers a change goes to: the named member of the team, their cover, or who is on call."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias
from uuid import UUID

from handrail.events.care import CareTeamMemberAssigned, CareTeamMemberReleased

ON_CALL = "on_call"
TeamEvent: TypeAlias = CareTeamMemberAssigned | CareTeamMemberReleased


@dataclass(frozen=True, slots=True)
class Device:
    """An active receiver of a site. `member` is whose it is; the role's own where nobody's."""

    receiver_id: UUID
    role: str
    member: str | None


@dataclass(frozen=True, slots=True)
class Member:
    """One who holds a role for a person, or covers it for a while."""

    role: str
    staff_id: UUID
    from_on: date
    until_on: date | None
    is_cover: bool


def follow(team: Iterable[Member], event: TeamEvent) -> list[Member]:
    """The team after one of intake's events; the day on which a role is given back is the next's."""
    if isinstance(event, CareTeamMemberAssigned):
        now = Member(event.role, event.staff_id, event.from_on, event.until_on, bool(event.covers))
        return [*(member for member in team if _key(member) != _key(now)), now]
    last = event.released_on - timedelta(days=1)
    ended = [
        replace(member, until_on=min(last, member.until_on or last))
        if (member.role, member.staff_id) == (event.role, event.staff_id)
        else member
        for member in team
    ]
    return [m for m in ended if m.until_on is None or m.from_on <= m.until_on]


def _key(member: Member) -> tuple[str, UUID, date]:
    return (member.role, member.staff_id, member.from_on)


def on_duty(team: Iterable[Member], day: date) -> dict[str, UUID]:
    """Who stands for each role on this day: the cover where there is one, else the holder."""
    here = [m for m in team if m.from_on <= day and (m.until_on is None or day <= m.until_on)]
    here.sort(key=lambda member: (member.is_cover, member.from_on, str(member.staff_id)))
    return {member.role: member.staff_id for member in here}


def receivers(
    devices: Collection[Device],
    roles: Collection[str],
    duty: Mapping[str, UUID],
    called: Collection[UUID] | None,
    *,
    must_reach: bool,
) -> list[UUID]:
    """Whom a change is told that concerns these roles.

    What belongs to a role and to nobody in it is always told. What is one member's is told where
    they stand for the role; everybody's is, where nobody is named. `called` are those on call,
    None without a rota. What `must_reach` somebody goes to all of its roles before it goes to none.
    """
    here = [device for device in devices if device.role in roles]
    told = [d for d in here if d.member is None or _stands(d, duty, called)]
    return [d.receiver_id for d in (here if must_reach and not told else told)]


def _stands(device: Device, duty: Mapping[str, UUID], called: Collection[UUID] | None) -> bool:
    if device.role == ON_CALL and called is not None:
        return device.member in {str(staff_id) for staff_id in called}
    named = duty.get(device.role)
    return named is None or device.member == str(named)
