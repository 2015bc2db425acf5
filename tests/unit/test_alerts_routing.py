"""Who is told: the named member, their cover, who is on call. Tables that staff can read."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from alerts.rota import ROTAS, Rota, Shift, on_call
from alerts.routing import Device, Member, follow, on_duty, receivers
from handrail.events.care import CareTeamMemberAssigned, CareTeamMemberReleased

ANN, BEN, CIM = (UUID(int=n) for n in (1, 2, 3))
MONDAY = date(2026, 3, 2)
NEW_YORK = ZoneInfo("America/New_York")


def day(n: int) -> date:
    return MONDAY + timedelta(days=n)


TEAM = [
    Member("primary_clinician", ANN, day(0), None, is_cover=False),
    Member("primary_clinician", BEN, day(7), day(8), is_cover=True),
    Member("supervisor", CIM, day(5), None, is_cover=False),
]


@pytest.mark.parametrize(
    ("on", "clinician", "supervisor"),
    [(-1, None, None), (0, ANN, None), (6, ANN, CIM), (7, BEN, CIM), (8, BEN, CIM), (9, ANN, CIM)],
)
def test_the_cover_stands_for_the_role_while_it_lasts(
    on: int, clinician: UUID | None, supervisor: UUID | None
) -> None:
    duty = on_duty(TEAM, day(on))

    assert (duty.get("primary_clinician"), duty.get("supervisor")) == (clinician, supervisor)


def device(number: int, role: str, member: UUID | None = None) -> Device:
    return Device(UUID(int=100 + number), role, str(member) if member else None)


SHARED = device(0, "case_manager")
OF_ANN, OF_BEN = device(1, "case_manager", ANN), device(2, "case_manager", BEN)
CALL_ANN, CALL_BEN = device(3, "on_call", ANN), device(4, "on_call", BEN)


@pytest.mark.parametrize(
    ("devices", "roles", "duty", "called", "must_reach", "told"),
    [
        # Named: theirs and the role's own, nobody else's.
        ([SHARED, OF_ANN, OF_BEN], ["case_manager"], {"case_manager": ANN}, None, False, [SHARED, OF_ANN]),
        # Nobody is named for the person: everybody in the role.
        ([OF_ANN, OF_BEN], ["case_manager"], {}, None, False, [OF_ANN, OF_BEN]),
        # The named one has no device: it is not another's business, unless it is safety.
        ([OF_BEN], ["case_manager"], {"case_manager": ANN}, None, False, []),
        ([OF_BEN], ["case_manager"], {"case_manager": ANN}, None, True, [OF_BEN]),
        # On call: who is, by the rota; all of them where there is none, or safety meets a hole.
        ([CALL_ANN, CALL_BEN], ["on_call"], {}, [BEN], True, [CALL_BEN]),
        ([CALL_ANN, CALL_BEN], ["on_call"], {}, None, True, [CALL_ANN, CALL_BEN]),
        ([CALL_ANN, CALL_BEN], ["on_call"], {}, [], True, [CALL_ANN, CALL_BEN]),
        ([CALL_ANN, CALL_BEN], ["on_call"], {}, [], False, []),
        # Another role's devices hear nothing.
        ([SHARED, CALL_ANN], ["supervisor"], {}, None, True, []),
    ],
)  # fmt: skip
def test_a_change_goes_to_who_stands_for_the_role(
    devices: list[Device],
    roles: list[str],
    duty: dict[str, UUID],
    called: list[UUID] | None,
    must_reach: bool,  # noqa: FBT001
    told: list[Device],
) -> None:
    found = receivers(devices, roles, duty, called, must_reach=must_reach)

    assert found == [one.receiver_id for one in told]


def assigned(
    staff: UUID, first: int, last: int | None = None, covers: UUID | None = None
) -> CareTeamMemberAssigned:
    until = day(last) if last is not None else None
    return CareTeamMemberAssigned(
        **ABOUT, role="supervisor", staff_id=staff, from_on=day(first), until_on=until, covers=covers
    )  # fmt: skip


ABOUT = {
    "site_id": "north",
    "admission_id": UUID(int=9),
    "occurred_at": datetime(2026, 3, 2, tzinfo=UTC),
    "recorded_at": datetime(2026, 3, 2, tzinfo=UTC),
    "recorded_day": MONDAY,
}


def test_a_team_follows_what_intake_says() -> None:
    team = follow([], assigned(ANN, 0))
    team = follow(team, assigned(BEN, 2, 3, covers=ANN))
    assert [on_duty(team, day(n)).get("supervisor") for n in range(5)] == [ANN, ANN, BEN, BEN, ANN]

    for staff in (ANN, BEN):
        gone = CareTeamMemberReleased(**ABOUT, role="supervisor", staff_id=staff, released_on=day(3))  # fmt: skip
        team = follow(team, gone)
    team = follow(team, assigned(CIM, 3))
    assert [on_duty(team, day(n)).get("supervisor") for n in range(5)] == [ANN, ANN, BEN, CIM, CIM]


# Ann has the nights of working days, Ben and Cim every other weekend from Friday on.
NIGHTS = Rota(
    "nights-1",
    (
        *(Shift(ANN, weekday, time(18), 14) for weekday in range(4)),
        Shift(BEN, 4, time(18), 62, week=0),
        Shift(CIM, 4, time(18), 62, week=1),
    ),
    weeks=2,
)


@pytest.mark.parametrize(
    ("at", "called"),
    [
        ("2026-03-02T17:59", set()),
        ("2026-03-02T18:00", {ANN}),
        ("2026-03-03T07:59", {ANN}),
        ("2026-03-03T08:00", set()),
        ("2026-03-06T18:00", {BEN}),
        # The clocks go forward on the eighth: 62 hours end an hour later on the wall.
        ("2026-03-09T08:59", {BEN}),
        ("2026-03-09T09:00", set()),
        ("2026-03-13T18:00", {CIM}),
        ("2026-03-16T07:59", {CIM}),
        ("2026-03-20T23:00", {BEN}),
    ],
)
def test_the_rota_says_who_is_on_call(at: str, called: set[UUID]) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)

    assert on_call(NIGHTS, MONDAY, moment, NEW_YORK) == called


@pytest.mark.parametrize(
    "wrong", [{"week": 2}, {"hours": 73}, {"weekday": 7}, {"begins": "18:00Z"}, {"staff_id": "ann"}]
)
def test_a_rota_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    shift = {"staff_id": str(ANN), "weekday": 4, "begins": "18:00", "hours": 62}

    with pytest.raises(ValidationError):
        ROTAS.validate_python({"version": "r", "weeks": 2, "shifts": [shift | wrong]})
