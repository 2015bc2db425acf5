"""Random histories: whatever comes, in whatever order, the open list tells the truth.

`HANDRAIL_HISTORIES=0+100000 ./handrail test unit -k histories` plays as many as you like, from
any seed on.
"""

import os
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from alerts import duty
from alerts.corrections import corrected
from alerts.duty import NOT_DONE, NOT_TAKEN_ON, Duty, Step
from alerts.policy import DEFAULT
from alerts.story import Story, learn
from tests.unit.histories import Play, make, orders

FIRST, COUNT = (int(n) for n in os.environ.get("HANDRAIL_HISTORIES", "0+300").split("+"))
SEEDS = range(FIRST, FIRST + COUNT)
OF_A_MISS = ("early_miss", "single_miss", "second_miss", "misses_within_a_week", "misses_in_a_row")


def played(seed: int, order: int) -> Play:
    """A history in one of its orders, with what must hold at every moment looked at."""
    history, play = make(seed), Play()
    for told in orders(history, Random(order)):
        if isinstance(told, int):
            play.end(told)
        else:
            play.hear(told)
        assert len(play.open_concerns()) <= 1, (seed, order)
        shown = [(row.spell, row.level, row.kind) for row in play.open_concerns()]
        concern = play.present.concern
        assert shown == ([(concern.spell, concern.level, concern.kind)] if concern else []), (
            seed,
            order,
        )
    return play


def test_histories_end_the_same_in_any_order_and_never_have_two_open_concerns() -> None:
    for seed in SEEDS:
        one, other = played(seed, 1), played(seed, 2)
        assert one.result() == other.result(), seed
        leaves_no_trace_of_a_withdrawn_miss(one, seed)
        rises_only_where_it_may(other, seed)


def test_an_alert_a_correction_took_back_stays_so_when_the_concern_rises_past_its_level() -> None:
    """Seed 3374: level 1, eased to 2 by a correction, then safety, in one batch or in two."""
    one, other = played(3374, 1), played(3374, 2)

    raised = [(o.what, o.level) for o in one.settled if o.spell == 2]
    assert raised[-3:] == [("raised", 1), ("eased", 2), ("raised", 0)]
    assert [a.level for a in one.alerts.values() if a.alert_id in one.withdrawn] == [1]
    assert one.result() == other.result()


def leaves_no_trace_of_a_withdrawn_miss(play: Play, seed: int) -> None:
    """The open list speaks of no more misses than there truly were."""
    true = Story()
    for fact in corrected(play.known):
        learn(true, fact)
    for row in play.open_concerns():
        assert row.kind not in OF_A_MISS or true.misses, seed
        words = " ".join(row.reasons)
        assert not any(f"missed {n} " in words for n in range(len(true.misses) + 1, 30)), seed


def rises_only_where_it_may(play: Play, seed: int) -> None:
    """Nothing but safety while absence is expected, and nothing in a concern that has ended."""
    assert play.amiss == [], seed
    ended = set()
    for outcome in play.settled:
        assert outcome.spell not in ended, seed
        if outcome.what in ("closed", "withdrawn"):
            ended.add(outcome.spell)


WHERE = (DEFAULT, ZoneInfo("America/New_York"))
STEPS = (Step("call_again", 24), Step("verify_return", 72), Step("none", None))


def test_in_random_histories_no_escalation_is_lost_and_none_comes_after_an_acknowledgement() -> (
    None
):
    for seed in SEEDS:
        random, now = Random(seed), datetime(2026, 3, 2, tzinfo=UTC)
        held = duty.begin(random.randrange(4), now, WHERE)
        for _ in range(random.randint(3, 12)):
            now += timedelta(hours=random.choice((0.2, 1, 5, 30, 90)))
            held = _swept(held, now)
            held = _worked(held, random, now)


def _worked(  # noqa: PLR0911  # one line a thing that happens
    held: Duty, random: Random, now: datetime
) -> Duty:
    """Something a person or the story does."""
    what = random.randrange(7)
    if what == 0:
        return duty.acknowledge(held, now, WHERE)
    if what == 1:
        return duty.attempt(held, random.choice(STEPS), now, WHERE)
    if what == 2 and held.level:
        return duty.snooze(held, now + timedelta(hours=20), now, WHERE)
    if what == 3:
        return duty.pause(held)
    if what == 4:
        return duty.resume(held, now, WHERE)
    if what == 5 and held.level:
        return duty.begin(held.level - 1, now, WHERE)
    return held


def _swept(held: Duty, now: datetime) -> Duty:
    """The sweep, which comes within a second of the moment."""
    why = duty.why_late(held, now)
    if held.acknowledged_at:
        assert why != NOT_TAKEN_ON
    if held.paused:
        assert why is None
        return held
    tells = DEFAULT.escalate_to[held.level]
    waits = held.due_at is not None and held.escalations == 0 and held.acknowledged_at is None
    longest = timedelta(hours=1) if held.level == 0 else timedelta(hours=24 * 5)
    if waits and tells and held.due_at and now >= held.due_at + longest:
        assert why == NOT_TAKEN_ON, "a lost escalation"
    if why == NOT_DONE:
        assert held.due_at is not None
        assert now > held.due_at
    return duty.escalate(held) if why else held
