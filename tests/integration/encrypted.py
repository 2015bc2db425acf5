"""A PostgreSQL and a Kafka that let nobody in without TLS, and Kafka nobody to what is not theirs."""

import contextlib
import os
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import trustme
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from cryptography.hazmat.primitives import serialization

from handrail.settings import KafkaSettings
from operate.parts import jars
from operate.parts.kafka import Kafka, java
from operate.parts.postgres import Postgres
from tests.parts import running_postgres, temporary_home, until

USER, PASSWORD = "handrail", "a-password-of-this-test"  # for a broker of seconds
CLUSTER = "AAAAAAAAAAAAAAAAAAAAAA"
LISTENING = """
listeners=SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=SASL_SSL://127.0.0.1:{port}
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={login} required username="{user}" password="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={key}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{user};User:ANONYMOUS
"""
LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule"


@dataclass(frozen=True)
class Papers:
    """Files of certificates: ours for 127.0.0.1, its authority, and one that vouches for nobody."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> "Papers":
        authority = trustme.CA()
        ours = authority.issue_cert("127.0.0.1", "localhost")
        authority.cert_pem.write_to_path(folder / "authority.pem")
        trustme.CA().cert_pem.write_to_path(folder / "stranger.pem")
        key = serialization.load_pem_private_key(ours.private_key_pem.bytes(), None)
        plain = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        chain = b"".join(part.bytes() for part in ours.cert_chain_pems)
        (folder / "key.pem").write_bytes(plain)
        (folder / "chain.pem").write_bytes(chain)
        (folder / "both.pem").write_bytes(plain + chain)
        return cls(folder)

    def __truediv__(self, name: str) -> Path:
        return self.folder / name


def system_programs() -> Path | None:
    """PostgreSQL of the system, the newest: the packaged one is built without TLS."""
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return max((one.parent for one in found), key=lambda p: int(p.parent.name), default=None)


@contextlib.asynccontextmanager
async def postgres_by_tls(papers: Papers) -> AsyncIterator[Postgres]:
    """A PostgreSQL that takes connections by TLS alone."""
    async with running_postgres() as server:
        data = server.folder / "data"
        for name in ("key.pem", "chain.pem"):
            shutil.copy(papers / name, data / name)
            (data / name).chmod(0o600)
            os.chown(data / name, data.stat().st_uid, data.stat().st_gid)
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        conn = await asyncpg.connect(server.admin_url())
        await conn.execute("alter system set ssl_cert_file = 'chain.pem'")
        await conn.execute("alter system set ssl_key_file = 'key.pem'")
        await conn.execute("alter system set ssl = on")
        await conn.execute("select pg_reload_conf()")
        await conn.close()

        async def takes_tls() -> bool:
            try:
                conn = await asyncpg.connect(by_tls(server.admin_url(), papers / "authority.pem"))
            except (OSError, asyncpg.PostgresError):
                return False
            await conn.close()
            return True

        await until(takes_tls, "PostgreSQL takes TLS")
        yield server


def by_tls(url: str, authority: Path) -> str:
    """The address for a client that looks at the certificate and the name in it."""
    return f"{url}?sslmode=verify-full&sslrootcert={authority}"


@contextlib.asynccontextmanager
async def kafka_by_sasl_ssl(papers: Papers) -> AsyncIterator[Kafka]:
    """A broker that takes clients by TLS and SCRAM alone."""
    with temporary_home() as home:
        ports = home.free_ports()
        place = home.folder / "kafka", ports["kafka"], ports["kafka_controller"]
        broker = Kafka(*place, home.log("kafka"))
        properties = broker._write_properties()
        _listen_by_tls(properties, broker, papers)
        _format(properties)
        process = broker.prepare()
        _listen_by_tls(properties, broker, papers)
        process.start()
        try:
            await until(lambda: lets_in(settings(broker, papers)), "Kafka lets us in", seconds=90)
            yield broker
        finally:
            await broker.stop()


def settings(broker: Kafka, papers: Papers, **other: object) -> KafkaSettings:
    """How a client is let in to it."""
    words: dict[str, object] = {
        "kafka_bootstrap": broker.address,
        "kafka_security": "SASL_SSL",
        "kafka_username": USER,
        "kafka_password": PASSWORD,
        "kafka_ca_file": papers / "authority.pem",
    }
    return KafkaSettings.model_validate(words | other)


async def lets_in(known: KafkaSettings) -> bool:
    """Whether a client with these settings is answered."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=known.kafka_bootstrap, request_timeout_ms=3000, **known.kafka_access()
    )
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, ssl.SSLError, OSError, TimeoutError):
        return False
    finally:
        with contextlib.suppress(KafkaError, OSError):
            await admin.close()


def _listen_by_tls(properties: Path, broker: Kafka, papers: Papers) -> None:
    ours = LISTENING.format(
        port=broker.port,
        controller_port=broker.controller_port,
        login=LOGIN,
        user=USER,
        password=PASSWORD,
        key=papers / "both.pem",
        authority=papers / "authority.pem",
    )
    names = {line.partition("=")[0] for line in ours.splitlines()}
    kept = [
        line for line in properties.read_text().splitlines() if line.partition("=")[0] not in names
    ]
    properties.write_text("\n".join(kept) + ours)


def _format(properties: Path) -> None:
    known = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
    run = [java(), "-cp", jars.classpath(lambda _: None), "kafka.tools.StorageTool", "format"]
    words = ["--cluster-id", CLUSTER, "--config", str(properties), "--add-scram", known]
    subprocess.run([*run, *words], check=True, capture_output=True)
