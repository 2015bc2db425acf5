"""Subscribers over a real database and real web servers: who is told, when, and what is kept."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from handrail.receipts import Rejected
from intake.disclosures import subscribers
from intake.disclosures.courier import Courier
from intake.disclosures.messages import NOTICE
from tests.ear import Ear, listening
from tests.integration.outside import KEY, LOOPBACK, SITE, Outside, attended, many, missed
from tests.parts import until


@pytest.fixture
def ear() -> Iterator[Ear]:
    with listening(Ear()) as ear:
        yield ear


def port_of(ear: Ear) -> int:
    port = urlsplit(ear.address).port
    assert port
    return port


async def test_with_a_consent_it_is_told_with_notice_and_scope_and_signed(
    outside: Outside, ear: Ear
) -> None:
    subscriber, secret = await outside.subscribes(ear.address, "attendance", "miss_reasons")
    person = await outside.admitted()
    consent = await outside.grants(person, "attendance", "dose")
    [key] = await outside.hears(missed(person))
    await outside.delivers()

    [message] = ear.verified(secret)
    assert ear.keys() == [key]
    assert message["notice"] == NOTICE
    assert message["type"] == "attendance.session_missed.v1"
    assert [c["consent_id"] for c in message["consents"]] == [str(consent)]
    assert message["data"]["sequence"] == 1
    facts = message["data"]["facts"]
    assert set(facts) == {"seat", "session_type", "planned_on", "kind"}
    async with outside.pool.acquire() as conn:
        own = await subscribers.subject(conn, subscriber, person)
    assert message["data"]["subject"] == str(own)
    assert str(person) not in ear.heard[0][1].decode()
    [row] = await outside.told(person)
    assert (row["what"], row["recipient"], row["delivery_id"]) == ("delivered", "general", key)
    assert row["classes"] == ["attendance"]


async def test_without_a_consent_nothing_leaves_and_nothing_is_kept(
    outside: Outside, ear: Ear
) -> None:
    await outside.subscribes(ear.address)
    person, other = await outside.admitted(), await outside.admitted()
    await outside.grants(person, "dose")
    await outside.grants(other, recipient="riverside")
    await outside.hears(missed(person), missed(other), missed(UUID(int=9)))
    await outside.delivers()

    assert ear.heard == []
    assert await outside.states() == ["no_consent", "no_consent", "not_of_this_site"]
    assert await outside.told(person) == []


async def test_what_is_not_told_leaves_no_hole_in_the_numbers(outside: Outside, ear: Ear) -> None:
    _, secret = await outside.subscribes(ear.address)
    person, silent = await outside.admitted(), await outside.admitted()
    await outside.grants(person)
    await outside.hears(missed(person), missed(silent), missed(person), missed(silent))
    await outside.hears(missed(person))
    await outside.delivers()

    assert [m["data"]["sequence"] for m in ear.verified(secret)] == [1, 2, 3]


async def test_a_consent_revoked_while_it_waits_stops_it(outside: Outside, ear: Ear) -> None:
    await outside.subscribes(ear.address)
    person = await outside.admitted()
    consent = await outside.grants(person)
    ear.status = 503
    await outside.hears(missed(person), attended(person))
    await outside.delivers()
    assert len(ear.heard) == 1

    await outside.says("revoke_consent", admission_id=person, consent_id=consent)
    ear.status = 200
    await outside.passes(0.5)
    await outside.delivers()

    assert len(ear.heard) == 1
    assert await outside.states() == ["no_consent", "no_consent"]
    [row] = await outside.told(person)
    assert row["what"] == "unconfirmed"


async def test_a_narrower_consent_tells_less_at_the_next_try(outside: Outside, ear: Ear) -> None:
    _, secret = await outside.subscribes(ear.address, "attendance", "dose")
    person = await outside.admitted()
    consent = await outside.grants(person, "attendance", "dose")
    ear.status = 500
    await outside.hears(attended(person))
    await outside.delivers()
    await outside.says(
        "narrow_consent", admission_id=person, consent_id=consent, data_classes=["attendance"]
    )
    ear.status = 200
    await outside.passes(1)
    await outside.delivers()

    facts = [message["data"]["facts"] for message in ear.verified(secret)]
    assert [("minutes" in one) for one in facts] == [True, False]
    assert len(set(ear.keys())) == 1


async def test_a_try_that_died_is_kept_in_the_ledger_if_it_may_not_be_told_again(
    outside: Outside, ear: Ear
) -> None:
    await outside.subscribes(ear.address)
    person = await outside.admitted()
    await outside.hears(missed(person))
    await outside.pool.execute("update deliveries set trying = true")
    await outside.delivers()

    assert ear.heard == []
    [row] = await outside.told(person)
    assert (row["what"], row["reason"]) == ("unconfirmed", "try_cut_short")


async def test_a_subscriber_down_for_two_days_gets_everything_once_and_in_order(
    outside: Outside,
) -> None:
    with listening(Ear()) as away:
        port = port_of(away)
        _, secret = await outside.subscribes(away.address)
    person = await outside.admitted()
    await outside.grants(person)
    keys: list[str] = []
    for hour in range(48):
        keys += await outside.hears(*many(person, 4))
        await outside.passes(1)
        await outside.delivers()
        assert await outside.states() == ["waiting"] * 4 * (hour + 1)
    [state] = await subscribers.listed(outside.pool, SITE)
    assert (state["state"], state["trouble"]) == ("active", "connecterror")

    with listening(Ear(), port) as back:
        await outside.passes(8)
        await outside.delivers()

    assert back.keys() == keys
    numbers = [message["data"]["sequence"] for message in back.verified(secret)]
    assert numbers == list(range(1, 193))
    assert len(await outside.told(person)) == 192
    assert (await outside.verified())["trouble"] is None


async def test_after_five_days_it_is_disabled_and_everything_comes_when_it_is_tried_again(
    outside: Outside, ear: Ear
) -> None:
    subscriber, secret = await outside.subscribes(ear.address)
    person = await outside.admitted()
    await outside.grants(person)
    ear.status = 500
    await outside.hears(missed(person))
    for _ in range(6):
        await outside.passes(24)
        await outside.delivers()
    [state] = await subscribers.listed(outside.pool, SITE)
    assert (state["state"], state["trouble"]) == ("disabled", "http_500")
    tried = len(ear.heard)
    await outside.hears(missed(person))
    await outside.passes(24)
    await outside.delivers()
    assert len(ear.heard) == tried

    ear.status, ear.heard = 200, []
    async with outside.pool.acquire() as conn, conn.transaction():
        await subscribers.send_again(conn, subscriber, KEY)
    await outside.delivers()
    assert [m["data"]["sequence"] for m in ear.verified(secret)] == [1, 2]


async def test_a_slow_subscriber_does_not_slow_another(outside: Outside, ear: Ear) -> None:
    person = await outside.admitted()
    await outside.grants(person)
    with listening(Ear(seconds=1.0)) as slow:
        await outside.subscribes(slow.address)
        await outside.subscribes(ear.address)
        await outside.hears(*many(person, 10))
        await outside.courier.look()

        async def all_came() -> bool:
            return len(ear.heard) == 10

        await until(all_came, "all messages at the quick one")
        assert len(slow.heard) < 10
        await outside.courier.close()


async def test_two_couriers_send_each_message_once(outside: Outside, ear: Ear) -> None:
    await outside.subscribes(ear.address)
    person = await outside.admitted()
    await outside.grants(person)
    keys = await outside.hears(*many(person, 30))
    other = Outside(outside.pool, Courier(outside.pool, outside.courier.topics, KEY, LOOPBACK))
    for _ in range(3):
        for one in (outside, other):
            await one.courier.look()
    await outside.courier.settled()
    await other.courier.settled()
    await other.courier.close()

    assert ear.keys() == keys


async def test_a_replay_tells_again_what_may_still_be_told(outside: Outside, ear: Ear) -> None:
    subscriber, secret = await outside.subscribes(ear.address)
    person, other = await outside.admitted(), await outside.admitted()
    consent = await outside.grants(person)
    await outside.grants(other)
    keys = await outside.hears(missed(person), missed(other), missed(person), missed(other))
    await outside.delivers()
    await outside.says("revoke_consent", admission_id=person, consent_id=consent)
    ear.heard = []
    async with outside.pool.acquire() as conn, conn.transaction():
        assert await subscribers.replay(conn, subscriber, 2, KEY) == 3
    await outside.delivers()
    await outside.hears(missed(other))
    await outside.delivers()

    assert ear.keys()[:2] == [keys[1], keys[3]]
    assert [m["data"]["sequence"] for m in ear.verified(secret)] == [2, 4, 5]


async def test_a_heartbeat_says_the_last_number_and_nothing_of_anybody(
    outside: Outside, ear: Ear
) -> None:
    _, secret = await outside.subscribes(ear.address)
    person = await outside.admitted()
    await outside.grants(person)
    await outside.hears(missed(person))
    await outside.delivers()
    await outside.delivers()
    assert len(ear.heard) == 1
    await outside.passes(2)
    await outside.delivers()
    await outside.delivers()

    heartbeat = ear.verified(secret)[1:]
    assert [(m["type"], m["data"]) for m in heartbeat] == [("heartbeat", {"last_sequence": 1})]


async def test_a_new_secret_signs_beside_the_old_one_for_a_day(outside: Outside, ear: Ear) -> None:
    subscriber, old = await outside.subscribes(ear.address)
    async with outside.pool.acquire() as conn, conn.transaction():
        new = await subscribers.rotate(conn, subscriber, KEY, outside.courier.topics)
    await outside.passes(2)
    await outside.delivers()
    assert ear.verified(old) == ear.verified(new)

    await outside.passes(23)
    await outside.delivers()
    ear.heard = ear.heard[-1:]
    assert ear.verified(new)
    with pytest.raises(Exception, match="No matching signature"):
        ear.verified(old)


async def test_nothing_is_sent_into_our_own_network_and_no_redirect_is_followed(
    outside: Outside, ear: Ear
) -> None:
    await outside.subscribes(ear.address)
    strict = Outside(outside.pool, Courier(outside.pool, outside.courier.topics, KEY))
    await strict.passes(2)
    await strict.delivers()
    await strict.courier.close()
    assert ear.heard == []
    assert (await subscribers.listed(outside.pool, SITE))[0]["trouble"] == "address_forbidden"

    ear.status = 302
    await outside.passes(2)
    await outside.delivers()
    assert len(ear.heard) == 1
    assert (await subscribers.listed(outside.pool, SITE))[0]["trouble"] == "http_302"


@pytest.mark.parametrize(
    ("about", "refusal"),
    [
        ({"url": "http://hospital.example/"}, ("address_not_allowed", "url")),
        ({"purpose": "legal"}, ("purpose_not_for_recipient", "purpose")),
        (
            {"recipient_class": "payer", "purpose": "payment", "data_classes": ["risk"]},
            ("never_told", "data_classes"),
        ),
        (
            {"recipient_class": "court", "purpose": "legal", "data_classes": ["risk"]},
            ("never_told", "data_classes"),
        ),
    ],
)
async def test_what_no_consent_could_allow_is_not_entered(
    outside: Outside, about: dict[str, Any], refusal: tuple[str, str]
) -> None:
    with pytest.raises(Rejected) as rejected:
        await outside.subscribes(**{"url": "https://hospital.example/"} | about)

    assert (rejected.value.code, rejected.value.field) == refusal


SWAP = """
update ledger as l set entry = o.entry from ledger o where l.number = $1 and o.number = $2
"""


async def test_any_change_to_the_ledger_is_found_with_its_place(outside: Outside, ear: Ear) -> None:
    await outside.subscribes(ear.address)
    person = await outside.admitted()
    await outside.grants(person)
    await outside.hears(*many(person, 30))
    await outside.delivers()
    good = await outside.verified()
    assert (good["rows"], good["trouble"]) == (31, None)
    anchor = (good["rows"], good["hash"])

    random = Random(7)
    for number in range(1, 32):
        other = random.choice([n for n in range(1, 32) if n != number])
        entry = json.dumps({"what": "delivered", "at": "2026-01-01"})
        for change in (
            ("update ledger set entry = $2 where number = $1", number, entry),
            ("update ledger set hash = repeat('0', 64) where number = $1", number),
            ("update ledger set admission_id = gen_random_uuid() where number = $1", number),
            ("delete from ledger where number = $1", number),
            ("delete from ledger where number >= $1", number),
            (SWAP, number, other),
        ):
            async with outside.pool.acquire() as conn:
                undo = conn.transaction()
                await undo.start()
                await conn.execute(*change)
                changed = Outside(_One(conn), outside.courier)  # type: ignore[arg-type]  # the same two words
                found = await changed.verified(anchor)
                await undo.rollback()
            assert found["trouble"], change
            assert found["trouble"]["number"] == number, change


async def test_a_ledger_cut_together_with_its_head_is_found_by_the_last_look(
    outside: Outside, ear: Ear
) -> None:
    await outside.subscribes(ear.address)
    person = await outside.admitted()
    await outside.grants(person)
    await outside.hears(*many(person, 3))
    await outside.delivers()
    good = await outside.verified()
    await outside.pool.execute("delete from ledger where number > 2")
    await outside.pool.execute(
        "update ledger_head set number = 2, hash = (select hash from ledger where number = 2)"
    )

    assert (await outside.verified())["trouble"] is None
    found = await outside.verified((good["rows"], good["hash"]))
    assert found["trouble"] == {"number": 3, "reason": "end_cut_off"}


class _One:
    """One connection where a pool is asked for."""

    def __init__(self, conn: Any) -> None:
        self.conn = conn

    def acquire(self) -> "_One":
        return self

    async def __aenter__(self) -> Any:
        return self.conn

    async def __aexit__(self, *_: object) -> None:
        return None
