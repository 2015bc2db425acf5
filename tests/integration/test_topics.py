"""Subscribers that read a topic of their own, on a real broker with TLS, SCRAM and an authorizer.

They read with kafka-python, as a hospital would: we write with another library.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition, errors

from handrail.receipts import Rejected
from handrail.settings import KafkaSettings
from handrail.topics import topic_of
from intake.disclosures import subscribers
from intake.disclosures.courier import Courier
from intake.disclosures.messages import NOTICE
from intake.disclosures.topics import ADDRESS, Topics, name_of
from operate.parts.kafka import Kafka
from tests.integration import manifest
from tests.integration.encrypted import PASSWORD, USER, Papers, lets_in, settings
from tests.integration.kit import Kit
from tests.integration.outside import KEY, LOOPBACK, SITE, Outside, many, missed

# kafka-python forgets a connection that is still busy when its client is closed.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")

REFUSED = (errors.TopicAuthorizationFailedError, errors.GroupAuthorizationFailedError)


@pytest.fixture(scope="module")
def intakes_access(guarded_broker: Kafka, papers: Papers) -> dict[str, Any]:
    """Intake with the rights that the Kubernetes manifest gives it, and no more."""
    manifest.enter(settings(guarded_broker, papers), "kafka-intake", PASSWORD)
    return settings(guarded_broker, papers, kafka_username="kafka-intake").kafka_access()


@pytest.fixture
async def outside(
    kit: Kit, guarded_broker: Kafka, intakes_access: dict[str, Any]
) -> AsyncIterator[Outside]:
    courier = Courier(
        kit.pool, Topics(kit.pool, guarded_broker.address, intakes_access), KEY, LOOPBACK
    )
    yield Outside(kit.pool, courier)
    await courier.close()


@dataclass
class Hospital:
    """A system outside that knows its name, its password and where our Kafka is."""

    broker: Kafka
    papers: Papers
    name: str
    password: str

    async def reads(self, count: int = 1, group: str = "") -> list[Any]:
        """So many records of its topic, from the beginning. Raises what the broker answers."""
        return await asyncio.to_thread(self._read, count, group or self.name)

    async def is_let_in(self) -> bool:
        """Whether the broker takes its password."""
        return await lets_in(self._settings())

    async def asks(self, topic: str) -> None:
        """Where a topic begins, in no group. Raises what the broker answers."""
        await asyncio.to_thread(self._ask, TopicPartition(topic, 0))

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Asks where its topic begins, over one connection. Raises what the broker answers."""
        consumer = await asyncio.to_thread(lambda: KafkaConsumer(**self._access()))
        place = TopicPartition(self.name, 0)
        try:
            yield lambda: asyncio.to_thread(consumer.beginning_offsets, [place])
        finally:
            await asyncio.to_thread(consumer.close)

    async def sees(self) -> set[str]:
        """The topics that the broker tells it of."""
        return await asyncio.to_thread(self._topics)

    async def writes(self) -> None:
        """A record into its own topic. Raises what the broker answers."""
        await asyncio.to_thread(self._write)

    def _settings(self) -> KafkaSettings:
        who = {"kafka_username": self.name, "kafka_password": self.password}
        return settings(self.broker, self.papers, **who)

    def _access(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.broker.address} | self._settings().kafka_access()

    def _ask(self, place: TopicPartition) -> None:
        consumer = KafkaConsumer(**self._access())
        try:
            consumer.beginning_offsets([place])
        finally:
            consumer.close()

    def _read(self, count: int, group: str) -> list[Any]:
        consumer = KafkaConsumer(
            self.name, group_id=group, auto_offset_reset="earliest", **self._access()
        )
        found: list[Any] = []
        try:
            for _ in range(50):
                found += [one for batch in consumer.poll(500).values() for one in batch]
                if len(found) >= count:
                    return found
        finally:
            consumer.close(autocommit=False)
        raise AssertionError(f"{len(found)} of {count} records came")

    def _topics(self) -> set[str]:
        consumer = KafkaConsumer(**self._access())
        try:
            return set(consumer.topics())
        finally:
            consumer.close()

    def _write(self) -> None:
        producer = KafkaProducer(enable_idempotence=False, **self._access())
        try:
            producer.send(self.name, b"forged").get(10)
        finally:
            producer.close()


HospitalOf: TypeAlias = Callable[[UUID, str], Hospital]


@pytest.fixture
def hospital_of(guarded_broker: Kafka, papers: Papers) -> HospitalOf:
    def made(subscriber_id: UUID, password: str) -> Hospital:
        return Hospital(guarded_broker, papers, name_of(subscriber_id), password)

    return made


async def test_it_reads_its_own_topic_with_notice_numbers_and_keys(
    outside: Outside, hospital_of: HospitalOf
) -> None:
    subscriber, password = await outside.subscribes(ADDRESS)
    person, other = await outside.admitted(), await outside.admitted()
    for one in (person, other):
        await outside.grants(one)
    keys = await outside.hears(missed(person), missed(other), missed(person, 2))
    await outside.delivers()
    await outside.passes(2)
    await outside.delivers()

    records = await hospital_of(subscriber, password).reads(4)
    said = [json.loads(record.value) for record in records]
    names = await own_names(outside, subscriber, person, other, person)
    assert [record.key for record in records] == [*names, None]
    assert [dict(record.headers)["idempotency-key"].decode() for record in records[:3]] == keys
    assert [one["data"].get("sequence") for one in said] == [1, 2, 3, None]
    assert [one.get("notice") for one in said] == [NOTICE, NOTICE, NOTICE, None]
    assert (said[3]["type"], said[3]["data"]) == ("heartbeat", {"last_sequence": 3})
    assert not any(str(person).encode() in record.value for record in records)
    told = await outside.told(person)
    assert [(row["what"], row["delivery_id"]) for row in told] == [
        ("delivered", keys[0]),
        ("delivered", keys[2]),
    ]


async def test_it_sees_nothing_but_its_own_topic_and_may_not_write_it(
    outside: Outside, hospital_of: HospitalOf
) -> None:
    one, other = await outside.subscribes(ADDRESS), await outside.subscribes(ADDRESS)
    hospital = hospital_of(*one)

    assert await hospital.sees() == {hospital.name}
    for topic in (name_of(other[0]), topic_of("intake"), topic_of("alerts")):
        with pytest.raises(REFUSED):
            await hospital.asks(topic)
    for group in (name_of(other[0]), "handrail-alerts"):
        with pytest.raises(REFUSED):
            await hospital.reads(group=group)
    with pytest.raises(REFUSED):
        await hospital.writes()


async def test_what_waits_when_a_consent_is_revoked_never_reaches_it(
    outside: Outside, hospital_of: HospitalOf
) -> None:
    subscriber, password = await outside.subscribes(ADDRESS)
    person, other = await outside.admitted(), await outside.admitted()
    consent = await outside.grants(person)
    await outside.grants(other)
    await outside.hears(*many(person, 5), missed(other))
    await outside.says("revoke_consent", admission_id=person, consent_id=consent)
    await outside.delivers()

    [record] = await hospital_of(subscriber, password).reads()
    assert [record.key] == await own_names(outside, subscriber, other)
    assert await outside.states() == [*["no_consent"] * 5, "sent"]
    assert await outside.told(person) == []


async def test_who_is_disabled_is_shut_out_until_it_is_tried_again(
    outside: Outside, hospital_of: HospitalOf
) -> None:
    hospital = hospital_of(*await outside.subscribes(ADDRESS))
    await outside.pool.execute("update subscribers set state = 'disabled'")
    await outside.courier.topics.keep()
    with pytest.raises(REFUSED):
        await hospital.reads()

    async with outside.pool.acquire() as conn, conn.transaction():
        await subscribers.send_again(conn, UUID(hospital.name[-36:]), KEY)
    await outside.passes(2)
    await outside.courier.topics.keep()
    await outside.delivers()
    assert len(await hospital.reads()) == 1


async def test_who_is_removed_is_not_let_in_and_nothing_of_it_stays(
    outside: Outside, hospital_of: HospitalOf, guarded_broker: Kafka, papers: Papers
) -> None:
    subscriber, password = await outside.subscribes(ADDRESS)
    hospital = hospital_of(subscriber, password)
    async with hospital.connected() as ask:
        await ask()
        async with outside.pool.acquire() as conn, conn.transaction():
            await subscribers.remove(conn, subscriber, KEY)
        assert await outside.courier.topics.status() == {"owed": 1, "trouble": None}
        await outside.courier.topics.keep()
        assert await outside.courier.topics.status() == {"owed": 0, "trouble": None}

        with pytest.raises(REFUSED):
            await ask()
    assert not await hospital.is_let_in()
    assert hospital.name not in await Hospital(guarded_broker, papers, USER, PASSWORD).sees()


async def test_a_new_password_ends_the_old_one(outside: Outside, hospital_of: HospitalOf) -> None:
    subscriber, old = await outside.subscribes(ADDRESS)
    async with outside.pool.acquire() as conn, conn.transaction():
        new = await subscribers.rotate(conn, subscriber, KEY, outside.courier.topics)
    await outside.passes(2)
    await outside.delivers()

    assert len(await hospital_of(subscriber, new).reads()) == 1
    assert not await hospital_of(subscriber, old).is_let_in()
    stored = await outside.pool.fetchval("select (s.*)::text from subscribers s")
    assert not any(password in stored for password in (old, new))


async def test_after_two_days_without_kafka_everything_stands_there_once_and_in_order(
    outside: Outside, hospital_of: HospitalOf
) -> None:
    subscriber, password = await outside.subscribes(ADDRESS)
    person = await outside.admitted()
    await outside.grants(person)
    topics = outside.courier.topics
    there, topics.bootstrap = topics.bootstrap, "127.0.0.1:1"
    keys: list[str] = []
    for _ in range(12):
        keys += await outside.hears(*many(person, 4))
        await outside.passes(4)
        await outside.delivers()
    [state] = await subscribers.listed(outside.pool, SITE)
    assert (state["state"], state["trouble"]) == ("active", "kafkaconnectionerror")
    assert await outside.told(person) == []

    topics.bootstrap = there
    await outside.passes(8)
    await outside.delivers()
    records = await hospital_of(subscriber, password).reads(len(keys))
    assert [dict(record.headers)["idempotency-key"].decode() for record in records] == keys
    numbers = [json.loads(record.value)["data"]["sequence"] for record in records]
    assert numbers == list(range(1, len(keys) + 1))


async def test_where_kafka_guards_nothing_nobody_is_entered(kit: Kit) -> None:
    open_to_all = Outside(
        kit.pool, Courier(kit.pool, Topics(kit.pool, kit.broker.address), KEY, LOOPBACK)
    )
    with pytest.raises(Rejected) as rejected:
        await open_to_all.subscribes(ADDRESS)

    assert (rejected.value.code, rejected.value.field) == ("kafka_guards_nothing", "url")
    assert "authorizer.class.name" in rejected.value.detail
    assert await subscribers.listed(kit.pool, SITE) == []


async def own_names(outside: Outside, subscriber: UUID, *people: UUID) -> list[bytes]:
    async with outside.pool.acquire() as conn:
        return [str(await subscribers.subject(conn, subscriber, one)).encode() for one in people]
