"""The care team: who holds which role, and who covers. Staff are opaque identifiers."""

from typing import Literal
from uuid import UUID

from handrail.events.care import CareRole
from handrail.receipts import Day
from intake.commands.stay import AdmissionCommand


class TeamCommand(AdmissionCommand):
    """About one role and one member of staff."""

    role: CareRole
    staff_id: UUID


class AssignRole(TeamCommand):
    """Give the role; whoever held it before is released."""

    do: Literal["assign_role"] = "assign_role"
    from_on: Day


class CoverRole(TeamCommand):
    """Stand in for the holder of the role, from the first to the last day."""

    do: Literal["cover_role"] = "cover_role"
    from_on: Day
    until_on: Day


class ReleaseRole(TeamCommand):
    """End the role or the cover."""

    do: Literal["release_role"] = "release_role"
    released_on: Day
