"""The personal plan: dose, goals, review and recertification."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from handrail.events import intake
from handrail.events.base import Code
from handrail.events.care import GoalState
from handrail.events.intake import WeeklyMinutes
from handrail.receipts import Day
from intake.commands.stay import AdmissionCommand, SessionsPerWeek


class Dose(intake.Dose):
    """What is prescribed of one type of session in a week."""

    model_config = ConfigDict(extra="forbid")


class ChangePlan(AdmissionCommand):
    """Prescribe a weekly dose; also by session type, with goals and a day of review."""

    do: Literal["change_plan"] = "change_plan"
    weekly_minutes: WeeklyMinutes
    sessions_per_week: SessionsPerWeek
    doses: Annotated[tuple[Dose, ...], Field(min_length=1, max_length=5)] | None = None
    goals: Annotated[tuple[Code, ...], Field(max_length=20)] | None = None
    review_on: Day | None = None


class MarkGoal(AdmissionCommand):
    """A goal was met, dropped or opened again."""

    do: Literal["mark_goal"] = "mark_goal"
    goal: Code
    state: GoalState


class ReviewPlan(AdmissionCommand):
    """The plan was looked at together."""

    do: Literal["review_plan"] = "review_plan"
    reviewed_on: Day
    review_on: Day = Field(description="The next review.")


class Recertify(AdmissionCommand):
    """A physician certified again that this level of care is needed."""

    do: Literal["recertify"] = "recertify"
    certified_on: Day
    certifier_id: UUID
