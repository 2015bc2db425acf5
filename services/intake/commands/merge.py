"""A person recorded twice."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from intake.commands.stay import AdmissionCommand


class PairCommand(AdmissionCommand):
    """About two admissions; the one named as usual is the one that goes on."""

    duplicate_id: UUID = Field(description="The other admission.")


class MergeAdmissions(PairCommand):
    """They are one person: the duplicate takes nothing more."""

    do: Literal["merge_admissions"] = "merge_admissions"


class UnmergeAdmissions(PairCommand):
    """They were two people after all: the duplicate is what it was."""

    do: Literal["unmerge_admissions"] = "unmerge_admissions"
