"""Calls that come at the same moment share a transaction, and nothing else."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from handrail import sight, together
from handrail.receipts import Result
from handrail.together import LANES, MOST_LANES, Together


@dataclass
class Desk:
    """Carries out words, each transaction once it is let; `bad` makes one fail."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    done: list[list[str]] = field(default_factory=list)
    seen: list[sight.Sight] = field(default_factory=list)
    error: Exception = field(default_factory=ZeroDivisionError)

    async def carry_out(self, words: Sequence[str], _causes: Sequence[str | None]) -> list[Result]:
        self.done.append(list(words))
        self.seen.append(sight.present())
        await self.open.wait()
        if "bad" in words:
            raise self.error
        return [Result(key=word, status="applied") for word in words]


async def say(together: Together[str], *words: str) -> list["asyncio.Task[Result]"]:
    """So many calls, each of which has reached the desk or waits."""
    tasks = [asyncio.create_task(together.take(word)) for word in words]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def busy(desk: Desk) -> tuple[Together[str], list["asyncio.Task[Result]"]]:
    """A desk with a transaction under way in each lane."""
    together, first = Together(desk.carry_out), list["asyncio.Task[Result]"]()
    for n in range(LANES):
        first += await say(together, f"first{n}")
    return together, first


async def test_one_that_comes_alone_waits_for_nobody() -> None:
    desk = Desk()
    desk.open.set()
    assert (await Together(desk.carry_out).take("a")).key == "a"
    assert desk.done == [["a"]]


async def test_those_that_come_meanwhile_go_together_and_each_has_its_own_answer() -> None:
    desk = Desk()
    together, first = await busy(desk)
    calls = await say(together, "a", "b", "c")
    assert desk.done == [[f"first{n}"] for n in range(LANES)]
    desk.open.set()

    assert [(await call).key for call in calls] == ["a", "b", "c"]
    assert desk.done[LANES:] == [["a", "b", "c"]]
    assert [(await call).key for call in first] == [f"first{n}" for n in range(LANES)]


async def test_what_fails_fails_alone() -> None:
    desk = Desk()
    together, _ = await busy(desk)
    calls = await say(together, "a", "bad", "c")
    desk.open.set()
    told = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(one) for one in told] == [Result, ZeroDivisionError, Result]
    assert desk.done[LANES:] == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]


async def test_a_bad_moment_is_told_to_all_at_once() -> None:
    desk = Desk(error=ConnectionResetError())
    together, _ = await busy(desk)
    calls = await say(together, "a", "bad", "c")
    desk.open.set()
    told = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(one) for one in told] == [ConnectionResetError] * 3
    assert desk.done[LANES:] == [["a", "bad", "c"]]


async def test_what_may_see_other_rows_goes_another_way() -> None:
    desk = Desk()
    together, _ = await busy(desk)
    calls = []
    for programs in (("day",), ("day",), ("evening",), None):
        with sight.seeing(programs):
            calls += await say(together, str(programs))
    desk.open.set()
    await asyncio.gather(*calls)

    assert [len(words) for words in desk.done[LANES:]] == [2, 1, 1]
    assert desk.seen[LANES:] == [("day",), ("evening",), None]


async def test_who_has_gone_disturbs_nobody() -> None:
    desk = Desk()
    together, _ = await busy(desk)
    gone, stays = await say(together, "gone", "stays")
    gone.cancel()
    desk.open.set()

    assert (await stays).key == "stays"
    with pytest.raises(asyncio.CancelledError):
        await gone
    # Its command was on its way, and is carried out.
    assert desk.done[LANES:] == [["gone", "stays"]]


async def test_where_all_wait_long_another_lane_is_opened_as_far_as_there_are_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(together, "SLOW_SECONDS", 0.0)
    desk = Desk()
    lanes, _ = await busy(desk)
    for n in range(MOST_LANES):
        await say(lanes, f"later{n}")

    # What came after the last lane was opened waits together.
    assert len(desk.done) == MOST_LANES
    desk.open.set()
    await asyncio.gather(*await say(lanes, "last"))
    assert "last" in desk.done[-1]
    assert sorted(word for words in desk.done for word in words) == sorted(
        [f"first{n}" for n in range(LANES)] + [f"later{n}" for n in range(MOST_LANES)] + ["last"]
    )
