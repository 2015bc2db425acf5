"""The open safety concern of a person recorded twice, over the real tables."""

from uuid import UUID

import asyncpg

from tests.integration.ward import Ward

DUTY = ("due_at", "escalate_at", "acknowledged_at", "next_step", "assigned_to")


async def flags(ward: Ward) -> dict[UUID, asyncpg.Record]:
    """The open safety concerns by their admission."""
    found = [row for row in await ward.open_concerns() if row["level"] == 0]
    assert len({row["admission_id"] for row in found}) == len(found)
    return {row["admission_id"]: row for row in found}


async def twice(ward: Ward) -> tuple[UUID, UUID]:
    """A duplicate with an open safety flag, and the admission that is kept."""
    duplicate, kept = await ward.admitted(), await ward.admitted()
    await ward.flagged(duplicate)
    return duplicate, kept


async def resolved(ward: Ward, concern_id: UUID) -> str:
    answer = await ward.says("resolve", concern_id=concern_id, ending="declined_documented")
    return answer.status


async def test_the_safety_concern_goes_with_the_person_and_so_does_its_work(ward: Ward) -> None:
    duplicate, kept = await twice(ward)
    which = {"concern_id": (await flags(ward))[duplicate]["concern_id"]}
    await ward.says("assign", **which, role="case_manager", member="m-7")
    await ward.says("record_outreach", **which, channel="phone", outcome="reached_declined")
    before = (await flags(ward))[duplicate]

    await ward.merged(duplicate, kept)
    assert [*await flags(ward)] == [duplicate], "it stays where it was until it has moved"
    assert [await ward.moves_flags() for _ in range(3)] == [1, 0, 0]

    found = await flags(ward)
    assert [*found] == [kept]
    assert [found[kept][name] for name in DUTY] == [before[name] for name in DUTY]
    told = await ward.told("concern_moved", "concern_resolved", "alert_raised")
    assert told == ["alert_raised", "concern_moved", "alert_raised"]
    # The attempt made under the other record counts.
    assert await resolved(ward, found[kept]["concern_id"]) == "applied"
    assert await flags(ward) == {}
    assert await ward.moves_flags() == 0


async def test_two_after_all_each_have_their_own_again(ward: Ward) -> None:
    duplicate, kept = await twice(ward)
    await ward.missed(kept)
    await ward.merged(duplicate, kept)
    await ward.moves_flags()
    await ward.says("acknowledge", concern_id=(await flags(ward))[kept]["concern_id"])

    await ward.unmerged(duplicate, kept)
    assert [await ward.moves_flags() for _ in range(3)] == [1, 0, 0]

    found = await flags(ward)
    assert [*found] == [duplicate]
    assert found[duplicate]["acknowledged_at"] is None, "who it is about was never reached"
    assert found[duplicate]["due_at"]
    own = [row for row in await ward.open_concerns() if row["admission_id"] == kept]
    assert [(row["level"], row["kind"]) for row in own] == [(2, "early_miss")]
    assert len(await ward.told("alert_withdrawn")) == 1


async def test_a_flag_is_never_doubled_and_comes_late_as_well(ward: Ward) -> None:
    duplicate, kept = await ward.admitted(), await ward.admitted()
    await ward.flagged(kept)
    await ward.merged(duplicate, kept)
    assert await ward.moves_flags() == 0

    await ward.flagged(duplicate)
    assert await ward.moves_flags() == 1
    assert [*await flags(ward)] == [kept]
    await ward.unmerged(duplicate, kept)
    await ward.moves_flags()
    assert {*await flags(ward)} == {duplicate, kept}


async def test_who_was_merged_twice_over_has_the_flag_at_the_last_and_gets_it_back(
    ward: Ward,
) -> None:
    first, second = await twice(ward)
    last = await ward.admitted()
    await ward.merged(second, last)
    await ward.merged(first, second)
    for _ in range(2):
        await ward.moves_flags()
    assert [*await flags(ward)] == [last]

    await ward.unmerged(first, second)
    await ward.moves_flags()
    assert [*await flags(ward)] == [first]


async def test_in_recorded_history_it_stays_where_it_was(ward: Ward) -> None:
    ward.clock = "replay"
    duplicate, kept = await twice(ward)
    await ward.merged(duplicate, kept)

    assert await ward.moves_flags() == 0
    assert [*await flags(ward)] == [duplicate]
