"""PostgreSQL and Kafka are real, and what they have said yes to outlives them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from handrail.topics import OWNERS, PARTITIONS, topic_of
from operate import databases, rolling
from operate.errors import OperateError
from operate.home import HOST, SERVICES, Home
from operate.parts import jars, topics
from operate.parts.kafka import Kafka, answers
from operate.parts.postgres import Postgres
from operate.processes import Child
from tests.parts import running_kafka, running_postgres, temporary_home, until


@pytest.fixture
async def postgres() -> AsyncIterator[Postgres]:
    async with running_postgres() as server:
        yield server


@pytest.fixture
async def kafka() -> AsyncIterator[Kafka]:
    async with running_kafka() as broker:
        yield broker


async def test_a_committed_row_survives_a_postgres_ended_by_force(postgres: Postgres) -> None:
    conn = await asyncpg.connect(postgres.admin_url())
    await conn.execute("create table notes (words text)")
    await conn.execute("insert into notes values ('kept')")

    postgres.kill()
    await _start_again(postgres)

    conn = await asyncpg.connect(postgres.admin_url())
    assert await conn.fetchval("select words from notes") == "kept"
    await conn.close()


async def test_postgres_starts_again_on_its_data_after_it_was_stopped(postgres: Postgres) -> None:
    await postgres.stop()
    assert postgres.pid is None

    await _start_again(postgres)

    assert await postgres.is_ready()


async def test_postgres_answers_nobody_without_the_password(postgres: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://postgres:guess@{postgres.address}/postgres")


async def test_postgres_promises_only_what_is_on_disk(postgres: Postgres) -> None:
    conn = await asyncpg.connect(postgres.admin_url())
    promises = [await conn.fetchval(f"show {name}") for name in ("fsync", "synchronous_commit")]
    await conn.close()

    assert promises == ["on", "on"]


async def test_a_refused_statement_leaves_no_value_in_the_log(postgres: Postgres) -> None:
    conn = await asyncpg.connect(postgres.admin_url())
    await conn.execute("create table people (phone text unique)")
    await conn.execute("insert into people values ('canary-5550100')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await conn.execute("insert into people values ('canary-5550100')")
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await conn.execute("select 'canary-5550100'::int")
    await conn.close()
    await postgres.stop()

    assert "canary" not in postgres.log.read_text()


async def test_no_service_can_open_the_database_of_another(
    postgres: Postgres, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    await databases.prepare(postgres.admin_url(), home, owns_server=True)
    of_intake = databases.url_of(postgres.admin_url(), "intake", home)

    for other in ("attendance", "alerts", "aftercare", "postgres"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(of_intake.removesuffix("intake") + other)
    await (await asyncpg.connect(of_intake)).close()


async def test_preparing_and_migrating_twice_changes_nothing(
    postgres: Postgres, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    applied = []
    for _ in range(2):
        await databases.prepare(postgres.admin_url(), home, owns_server=True)
        for service in SERVICES:
            url = databases.url_of(postgres.admin_url(), service, home)
            applied.append(await asyncio.to_thread(databases.migrate, url, service))

    assert all(applied[:4])
    assert not any(applied[4:])


async def _with_one_migration(postgres: Postgres, folder: Path, name: str, sql: str) -> str:
    """The address of intake's database, for which this is the only migration."""
    home = Home(folder)
    await databases.prepare(postgres.admin_url(), home, owns_server=True)
    (folder / "intake" / "migrations").mkdir(parents=True)
    (folder / "intake" / "migrations" / f"{name}.sql").write_text(sql)
    return databases.url_of(postgres.admin_url(), "intake", home)


async def test_a_migration_that_fails_is_taken_back_and_named(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await _with_one_migration(
        postgres, tmp_path, "0001.wrong", "create table a (); creat table b ();"
    )
    monkeypatch.setattr(databases, "_folder", tmp_path.joinpath)

    with pytest.raises(OperateError, match="a migration of intake failed and was taken back"):
        await asyncio.to_thread(databases.migrate, url, "intake")

    conn = await asyncpg.connect(url)
    assert await conn.fetchval("select to_regclass('a')") is None
    await conn.close()


async def test_a_migration_waits_for_no_table_for_long(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await _with_one_migration(
        postgres, tmp_path, "0001.late", "alter table a add column b int;"
    )
    monkeypatch.setattr(databases, "_folder", tmp_path.joinpath)
    monkeypatch.setattr(databases, "LOCK_TRIES", 2)
    conn = await asyncpg.connect(url)
    await conn.execute("create table a ()")

    async with conn.transaction():
        await conn.execute("select from a")
        with pytest.raises(OperateError, match=r"intake waited for a table .* gave up 2 times"):
            await asyncio.to_thread(databases.migrate, url, "intake")
    applied = await asyncio.to_thread(databases.migrate, url, "intake")

    await conn.close()
    assert applied == ["0001.late"]


async def test_a_migration_that_crosses_a_transaction_is_tried_again_and_sees_all(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = """
        alter table b add column c int;
        alter table a add column c int;
        create table said as select current_setting('handrail.programs') as shown;
    """
    url = await _with_one_migration(postgres, tmp_path, "0001.crossing", wanted)
    monkeypatch.setattr(databases, "_folder", tmp_path.joinpath)
    # As superuser it may wait for longer than a migration does: that one is to give way.
    conn = await asyncpg.connect(postgres.admin_url().removesuffix("postgres") + "intake")
    watcher = await asyncpg.connect(url)
    await watcher.execute("create table a (); create table b ()")
    await conn.execute("set deadlock_timeout = '60s'")

    async def holds_b() -> bool:
        held = "select true from pg_locks where relation = 'b'::regclass and mode = $1"
        return bool(await watcher.fetchval(held, "AccessExclusiveLock"))

    async with conn.transaction():
        await conn.execute("select from a")
        migrating = asyncio.create_task(asyncio.to_thread(databases.migrate, url, "intake"))
        await until(holds_b, "the migration holds the one table and waits for the other")
        await conn.execute("select from b")
    applied = await migrating
    shown = await conn.fetchval("select shown from said")

    await conn.close()
    await watcher.close()
    assert applied == ["0001.crossing"]
    # A migration changes everybody's rows, also where a policy would hide them.
    assert shown == "*"


async def test_an_acknowledged_record_survives_a_broker_ended_by_force(kafka: Kafka) -> None:
    await topics.create(kafka.address)
    await _send(kafka, b"kept")

    kafka.kill()
    kafka.start()
    await kafka.wait_ready()

    assert await _first_record(kafka) == b"kept"


async def test_a_broker_ends_in_order_and_starts_again(kafka: Kafka) -> None:
    await kafka.stop()
    assert kafka.pid is None

    kafka.start()
    await kafka.wait_ready()

    assert await kafka.is_ready()
    assert await answers(f"{HOST}:1,{kafka.address}")


async def test_every_topic_has_the_partitions_all_agree_on(kafka: Kafka) -> None:
    await topics.create(kafka.address)
    await topics.create(kafka.address)

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    described = await admin.describe_topics([topic_of(owner) for owner in OWNERS])
    await admin.close()
    assert [len(topic["partitions"]) for topic in described] == [PARTITIONS] * len(OWNERS)


async def test_more_copies_than_brokers_and_another_partition_count_are_refused(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "PATIENCE_SECONDS", 0)
    with pytest.raises(
        OperateError, match="3 copies of each topic take 3 brokers, and Kafka has 1"
    ):
        await topics.create(kafka.address, replicas=3)
    monkeypatch.undo()

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    await admin.create_topics([NewTopic("intake.events", 3, 1)])
    await admin.close()

    with pytest.raises(OperateError, match=r"intake\.events has 3 partitions, not 8"):
        await topics.create(kafka.address)


def test_every_jar_is_pinned_by_its_hash() -> None:
    assert {len(jar.sha256) for jar in jars.pinned()} == {64}
    assert len({(jar.group, jar.artifact) for jar in jars.pinned()}) == len(jars.pinned())


async def _start_again(server: Postgres) -> None:
    """Start it; right after a kill the last of its processes may still hold its memory."""
    async with asyncio.timeout(30):
        while True:
            server.start()
            try:
                await server.wait_ready()
            except OperateError:
                await asyncio.sleep(0.1)
                continue
            return


async def _send(broker: Kafka, words: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.address, acks="all")
    await producer.start()
    await producer.send_and_wait("intake.events", words, partition=0)
    await producer.stop()


async def _first_record(broker: Kafka) -> bytes:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition("intake.events", 0)])
        record = await asyncio.wait_for(consumer.getone(), 20)
    finally:
        await consumer.stop()
    return bytes(record.value)


async def test_the_old_process_goes_on_where_the_new_one_does_not_start() -> None:
    with temporary_home() as home, rolling.listen(home.free_ports()["alerts"]) as place:
        old = _python(home, "import time; time.sleep(60)")
        old.start()
        before = old.pid
        try:
            with pytest.raises(OperateError, match=r"exit code 3: bad code.*the old one goes on"):
                await rolling.replace_process(
                    old,
                    _python(home, "import sys; print('bad code', flush=True); sys.exit(3)"),
                    place.getsockname()[1],
                )
            assert (old.pid, old.is_alive()) == (before, True)
        finally:
            old.kill()


def _python(home: Home, code: str) -> Child:
    return Child("alerts", [sys.executable, "-c", code], home.log("alerts"))
