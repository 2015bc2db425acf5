"""TLS to a real PostgreSQL, TLS and SASL to a real Kafka: services get in, and nobody unproved."""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from handrail.settings import Settings
from handrail.topics import topic_of
from operate import databases
from operate.home import HOST, Home
from operate.parts import postgres as parts_postgres
from operate.parts.kafka import Kafka, answers
from operate.parts.postgres import Postgres
from tests.integration.encrypted import (
    PASSWORD,
    USER,
    Papers,
    by_tls,
    lets_in,
    postgres_by_tls,
    settings,
    system_programs,
)
from tests.journeys.second import free_port, running


@pytest.fixture
async def postgres(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Postgres]:
    programs = system_programs()
    if programs is None and not os.environ.get("CI"):
        pytest.skip("the packaged PostgreSQL has no TLS: apt-get install postgresql")
    call = parts_postgres._call

    def of_any_version(argv: list[str], owner: tuple[int, int] | None) -> object:
        """The system's may be older than the locales that come built in."""
        return call([w for w in argv if "-locale-provider" not in w and "builtin" not in w], owner)

    monkeypatch.setattr(parts_postgres, "_call", of_any_version)
    monkeypatch.setattr(parts_postgres, "packaged_binaries", lambda: programs)
    async with postgres_by_tls(papers) as server:
        yield server


async def test_postgres_is_spoken_to_by_tls_and_its_certificate_is_looked_at(
    postgres: Postgres, papers: Papers
) -> None:
    known = Settings.model_validate(
        {"database_url": by_tls(postgres.admin_url(), papers / "authority.pem")}
    )
    conn = await asyncpg.connect(known.dsn())
    is_tls = await conn.fetchval("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
    await conn.close()

    assert is_tls
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncpg.connect(by_tls(postgres.admin_url(), papers / "stranger.pem"))
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(f"{postgres.admin_url()}?sslmode=disable")


async def test_kafka_lets_in_who_proves_it_and_is_looked_at_itself(
    guarded_broker: Kafka, papers: Papers
) -> None:
    assert await lets_in(settings(guarded_broker, papers))

    assert not await lets_in(settings(guarded_broker, papers, kafka_password="another"))
    assert not await lets_in(
        settings(guarded_broker, papers, kafka_ca_file=papers / "stranger.pem")
    )
    assert not await answers(guarded_broker.address)


@pytest.mark.slow
async def test_a_service_works_by_tls_and_sasl(
    postgres: Postgres, guarded_broker: Kafka, papers: Papers, tmp_path: Path
) -> None:
    authority, home = papers / "authority.pem", Home(tmp_path)
    admin = by_tls(postgres.admin_url(), authority)
    await databases.prepare(admin, home, owns_server=True)
    url = databases.url_of(admin, "intake", home)
    await asyncio.to_thread(databases.migrate, url, "intake")
    access = settings(guarded_broker, papers).kafka_access()
    base = f"http://{HOST}:{free_port()}"
    env = {
        "HANDRAIL_DATABASE_URL": url,
        "HANDRAIL_KAFKA_BOOTSTRAP": guarded_broker.address,
        "HANDRAIL_KAFKA_SECURITY": "SASL_SSL",
        "HANDRAIL_KAFKA_USERNAME": USER,
        "HANDRAIL_KAFKA_PASSWORD": PASSWORD,
        "HANDRAIL_KAFKA_CA_FILE": str(authority),
        "HANDRAIL_HTTP_PORT": base.rpartition(":")[2],
        "HANDRAIL_AUDIT_KEY": "a key of this test alone",
    }
    command = {
        "do": "receive_referral",
        "source": "test",
        "key": "referral-1",
        "occurred_at": "2026-11-02T09:00:00-05:00",
        "site_id": "north",
        "time_zone": "America/New_York",
        "referral_source": "self",
    }

    # Ready is: the database answers, the relay has its lease, the feed is in its group.
    async with running(["-m", "intake.app"], f"{base}/health/ready", env):
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            answer = await client.post(f"{base}/v1/command", json=command)
            assert answer.is_success, answer.text
        heard = await _first(guarded_broker, access)

    assert heard["admission_id"] == answer.json()["subject"]


async def _first(kafka: Kafka, access: dict[str, object]) -> dict[str, object]:
    """The first fact about a person on intake's topic."""
    consumer = AIOKafkaConsumer(
        topic_of("intake"),
        bootstrap_servers=kafka.address,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **access,
    )
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            async for record in consumer:
                said: dict[str, object] = json.loads(record.value)
                if "admission_id" in said:
                    return said
    finally:
        await consumer.stop()
    raise AssertionError
