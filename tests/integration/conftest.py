"""One PostgreSQL and one Kafka for all tests here; a database and a consumer group for each."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from handrail import telemetry
from handrail.personal.vault import Vault
from handrail.relay import Relay
from intake.disclosures.courier import Courier
from intake.disclosures.topics import Topics
from operate import databases
from operate.home import Home
from operate.parts import topics
from operate.parts.kafka import Kafka
from operate.parts.postgres import Postgres
from tests.integration.encrypted import Papers, kafka_by_sasl_ssl, settings
from tests.integration.fhir_desk import FhirDesk, hearing_of_stays
from tests.integration.kit import Kit, pool_of_its_own, vault_of_its_own
from tests.integration.outside import KEY, LOOPBACK, Outside
from tests.integration.ward import Ward
from tests.parts import running_kafka, running_postgres, temporary_home

SEEN = """
create table seen (
    id bigint generated always as identity, owner text, key uuid, sequence bigint, marks text[]
)
"""


@pytest.fixture(scope="session")
def template() -> Iterator[tuple[Postgres, Home]]:
    """A server with a database `intake` that holds the kit's tables and the test's own."""
    with asyncio.Runner() as runner, temporary_home() as home:
        running = running_postgres()
        server = runner.run(running.__aenter__())
        try:
            runner.run(databases.prepare(server.admin_url(), home, owns_server=False))
            url = databases.url_of(server.admin_url(), "intake", home)
            databases.migrate(url, "intake")
            runner.run(_execute(url, SEEN))
            yield server, home
        finally:
            runner.run(running.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def broker() -> Iterator[Kafka]:
    """A broker with Handrail's topics."""
    with asyncio.Runner() as runner:
        running = running_kafka()
        kafka = runner.run(running.__aenter__())
        try:
            runner.run(topics.create(kafka.address))
            yield kafka
        finally:
            runner.run(running.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers.made(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="session")
def guarded_broker(papers: Papers) -> Iterator[Kafka]:
    """A broker with Handrail's topics that lets in by TLS and SCRAM, and to what one may see."""
    with asyncio.Runner() as runner:
        running = kafka_by_sasl_ssl(papers)
        kafka = runner.run(running.__aenter__())
        try:
            access = settings(kafka, papers).kafka_access()
            runner.run(topics.create(kafka.address, access=access))
            yield kafka
        finally:
            runner.run(running.__aexit__(None, None, None))


@pytest.fixture
async def kit(template: tuple[Postgres, Home], broker: Kafka) -> AsyncIterator[Kit]:
    """The kit over a database of this test's own; it reads what comes from now on."""
    pool = await pool_of_its_own(template, "intake", size=8)
    relay = Relay("attendance", pool, broker.address)
    kit = Kit(pool, broker, relay)
    await kit.begin_here()
    telemetry.start_logging("test", "INFO")
    yield kit
    await relay.close()
    await asyncio.wait_for(pool.close(), 10)


@pytest.fixture(scope="session")
def alerts_template(template: tuple[Postgres, Home]) -> tuple[Postgres, Home]:
    server, home = template
    databases.migrate(databases.url_of(server.admin_url(), "alerts", home), "alerts")
    return template


@pytest.fixture(scope="session")
def attendance_template(template: tuple[Postgres, Home]) -> tuple[Postgres, Home]:
    server, home = template
    databases.migrate(databases.url_of(server.admin_url(), "attendance", home), "attendance")
    return template


@pytest.fixture
async def pool(alerts_template: tuple[Postgres, Home]) -> AsyncIterator[asyncpg.Pool]:
    made = await pool_of_its_own(alerts_template, "alerts")
    telemetry.start_logging("test", "INFO")
    yield made
    await asyncio.wait_for(made.close(), 10)


@pytest.fixture
async def outside(kit: Kit) -> AsyncIterator[Outside]:
    """Intake's subscribers over the kit's database."""
    courier = Courier(kit.pool, Topics(kit.pool, kit.broker.address), KEY, LOOPBACK)
    yield Outside(kit.pool, courier)
    await courier.close()


@pytest.fixture
async def vault(template: tuple[Postgres, Home]) -> AsyncIterator[Vault]:
    """Intake's vault, over keys of this test's own."""
    made = await vault_of_its_own(template, "intake")
    yield made
    await asyncio.wait_for(made.pool.close(), 10)


@pytest.fixture
async def stays(template: tuple[Postgres, Home], vault: Vault) -> AsyncIterator[FhirDesk]:
    """What other systems write of referrals and stays, over a database of intake's."""
    made = await pool_of_its_own(template, "intake")
    async with hearing_of_stays(made, vault) as desk:
        yield desk
    await asyncio.wait_for(made.close(), 10)


@pytest.fixture
def ward(pool: asyncpg.Pool) -> Ward:
    return Ward(pool)


async def _execute(url: str, statement: str) -> None:
    conn = await asyncpg.connect(url)
    await conn.execute(statement)
    await conn.close()
