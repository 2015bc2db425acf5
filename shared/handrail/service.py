"""The life of one service: parts are made here, started in order, watched, and ended in order."""

import asyncio
import contextlib
import gc
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeVar

import asyncpg
import uvloop
from aiokafka.errors import KafkaError
from fastapi import Depends, FastAPI
from fastapi.telemetry import TelemetryConfig
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512
from opentelemetry.sdk.trace import TracerProvider
from pydantic import ValidationError

from handrail import http, server, sites, telemetry
from handrail.access import guard
from handrail.access.guard import AccessSettings, Guard, Programs
from handrail.access.rates import Rates
from handrail.dead_letters import counts
from handrail.events import DayClosed
from handrail.feed import Apply, Feed, SilentError
from handrail.loop import Loop
from handrail.outbox import Connection
from handrail.relay import Relay
from handrail.settings import PREFIX, FromEnvironment, Settings, SettingsMistake
from handrail.sites import BeforeClose
from handrail.telemetry import log
from handrail.topics import topic_of
from handrail.transient import TRANSIENT

EXIT_USAGE = 2
EXIT_RESTART_ME = 75
# A library that waits for a network that is gone may not hold up the end for longer.
STOP_SECONDS = 25.0
DAY_CHECK_SECONDS = 15.0
# Prometheus waits ten seconds for an answer; `ready` may take two of them.
STATUS_SECONDS = 3.0
S = TypeVar("S", bound=FromEnvironment)
# The framework's own spans would carry paths and exceptions; ours carry what is allowed.
OUR_SPANS_ONLY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}


@dataclass
class Service:
    """One service's parts. `app.py` makes one and passes the parts on."""

    name: str
    settings: Settings
    closed: type[DayClosed] | None
    reads: tuple[str, ...] = ()
    apply: Apply | None = None
    before_close: BeforeClose | None = None
    feed_rest_seconds: float = 0.0
    loops: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    # What else the service has to say of itself in its status, by name.
    shows: dict[str, Callable[[], Awaitable[Any]]] = field(default_factory=dict)
    # Of which programmes a thing is that a path names.
    programs: Programs = field(default_factory=dict)
    # Other databases of the service: opened and closed with it.
    pools: list[asyncpg.Pool] = field(default_factory=list)
    started: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        """Make the parts; nothing connects before `serve`."""
        self.tracing: TracerProvider = telemetry.start_tracing(self.name, self.settings)
        self.api_pool = self._pool(size=8, timeout=5)
        self.work_pool = self._pool(size=8, timeout=30)
        self.relay = Relay(
            self.name,
            self.work_pool,
            self.settings.kafka_bootstrap,
            self.settings.kafka_access(),
        )
        self.broker = KafkaBroker(
            # FastStream takes a text for one address.
            self.settings.kafka_bootstrap.split(","),
            security=_security(self.settings),
            logger=None,
            consumer_only=True,
            allow_auto_create_topics=False,
            client_id=f"handrail-{self.name}",
        )
        self.feed: Feed | None = None
        if self.apply:
            topics = tuple(topic_of(owner) for owner in self.reads)
            self.feed = Feed(self.name, topics, self.work_pool, self.apply, self.committed)
            self.feed.rest_seconds = self.feed_rest_seconds
            self.feed.subscribe(self.broker, os.environ.get("HANDRAIL_INSTANCE", "1"))
        self.access = read(AccessSettings, self.name)
        required = self.access.is_required(self.settings.http_host)
        rates = Rates(self.access.access_rate)
        self.guard = Guard(self.name, self.access.tokens(), rates, is_required=required)
        self.guard.pool, self.guard.programs = self.api_pool, self.programs
        self.app = FastAPI(
            title=f"Handrail {self.name}",
            version="1",
            lifespan=self._lifespan,
            redoc_url=None,
            redirect_slashes=False,
            telemetry=OUR_SPANS_ONLY,
            dependencies=[Depends(self.guard)],
        )
        self._server = server.make(self.app, self.settings)
        http.install(self.app, lambda: self.is_stopping)
        guard.install(self.app, http.problem)
        redrive = self.feed.redrive if self.feed else _nothing_to_redrive
        self.app.include_router(
            http.operator_routes(self.api_pool, redrive, self.status, self.numbers, self.ready)
        )
        self._exit_code = 0
        self._connected = False

    def committed(self) -> None:
        """Something was committed: ring whoever waits for it."""
        self.relay.wake()
        for ring in self.after_commit:
            ring()

    @property
    def is_stopping(self) -> bool:
        """The process was told to end: answers that go on for long shall end now."""
        return self._server.should_exit

    async def serve(self) -> int:
        """Run until SIGTERM or SIGINT. Returns the process's exit code."""
        guard.require_rows(self.app, self.guard.table)
        await self._server.serve(server.handed(self.settings))
        return self._exit_code

    async def ready(self) -> dict[str, str]:
        """`ok` or what is wrong, for each part this service needs."""
        database = "ok"
        try:
            async with asyncio.timeout(2):
                await self.api_pool.fetchval("select 1")
        except TRANSIENT as error:
            database = type(error).__name__
        kafka = self.relay.trouble or ("ok" if self.relay.last_success else "starting")
        feed = "ok"
        if self.feed:
            feed = self.feed.trouble or ("ok" if self._connected else "starting")
        return {"database": database, "relay": kafka, "feed": feed}

    async def status(self) -> dict[str, Any]:
        """Each loop: last success, backlog, age of the oldest; and the dead letters."""
        return await self._stored(self._own(await self._lag()))

    async def numbers(self) -> dict[str, Any]:
        """What `/metrics` shows: the status, and which parts answer.

        While the database is away only what this process knows by itself: an alarm about a loop
        that stands still has to come also then. Asks Kafka nothing, so it never waits for it.
        """
        parts = await self.ready()
        own = self._own(self.feed.last_lag if self.feed else {})
        with contextlib.suppress(*TRANSIENT):
            async with asyncio.timeout(STATUS_SECONDS):
                own = await self._stored(own)
        return own | {"ready": parts}

    def _own(self, lag: dict[str, int]) -> dict[str, Any]:
        feed = self.feed
        return {
            "service": self.name,
            "up_seconds": round(time.time() - self.started),
            "relay": {
                "last_success": self.relay.last_success,
                "sent": self.relay.sent,
                "trouble": self.relay.trouble,
            },
            "feed": {
                "last_success": feed.last_success if feed else None,
                "applied": feed.applied if feed else 0,
                "lag": sum(lag.values()),
                "lag_by_topic": _by_topic(lag),
                "trouble": feed.trouble if feed else None,
            },
        }

    async def _stored(self, own: dict[str, Any]) -> dict[str, Any]:
        """`own` with what stands in the database."""
        waiting, oldest = await self.relay.backlog()
        async with self.api_pool.acquire() as conn:
            letters = await counts(conn)
            known = await sites.all_sites(conn)
        about = {"backlog": waiting, "oldest_seconds": round(oldest, 3)}
        return own | {
            "relay": own["relay"] | about,
            "dead_letters": letters,
            "sites": {s.site_id: s.closed_through.isoformat() for s in known},
            **{name: await show() for name, show in self.shows.items()},
        }

    async def _lag(self) -> dict[str, int]:
        """Records not taken yet; nothing where Kafka does not answer, which `trouble` tells."""
        try:
            return await self.feed.lag() if self.feed else {}
        except (KafkaError, TimeoutError):
            return {}

    def _pool(self, *, size: int, timeout: float) -> asyncpg.Pool:
        return asyncpg.create_pool(
            self.settings.dsn(),
            min_size=0,
            max_size=size,
            timeout=5,
            command_timeout=timeout,
            max_inactive_connection_lifetime=60,
            reset=_as_it_is,
            server_settings={
                "application_name": f"handrail-{self.name}",
                "timezone": "UTC",
                "statement_timeout": str(int(timeout * 1000)),
                "lock_timeout": "10000",
                "idle_in_transaction_session_timeout": "10000",
                "jit": "off",
            },
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        for pool in (self.api_pool, self.work_pool, *self.pools):
            await pool
        # What was loaded at the start stays; a batch's many small objects are no garbage yet.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._guard(loop)) for loop in self._loops()]
            try:
                yield
            finally:
                log.info("service.stopping")
                end_within(STOP_SECONDS, self._exit_code or EXIT_RESTART_ME)
                relaying, *others = tasks
                for task in others:
                    task.cancel()
                if self.feed:
                    self.feed.leave()
                await self._stop_feed()
                await self.relay.finish()
                relaying.cancel()
        await self._close()

    def _loops(self) -> list[Callable[[], Awaitable[None]]]:
        loops = [self.relay.run, *self.loops]
        if self.closed:
            loops.append(self._close_days)
        return [*loops, self._run_feed] if self.feed else loops

    async def _guard(self, loop: Callable[[], Awaitable[None]]) -> None:
        """A loop that ends by a mistake of ours ends the process, to be started afresh."""
        try:
            await loop()
        except Exception as error:  # noqa: BLE001  # the last line of defence
            name = getattr(loop, "__qualname__", "loop")
            log.error("service.loop_failed", loop=name, error=type(error).__name__)
            self._exit_code = EXIT_RESTART_ME
            self._server.should_exit = True

    async def _run_feed(self) -> None:
        assert self.feed is not None
        while True:
            await self._connect_feed()
            try:
                await self.feed.watch()
            except SilentError:
                log.warning("feed.consumer_replaced")
                self._connected = False
                await self._stop_feed()

    async def _connect_feed(self) -> None:
        assert self.feed is not None
        pause = 0.2
        while not self._connected:
            try:
                await self.broker.start()
                self._connected = True
            except (KafkaError, OSError) as error:
                if self.feed.trouble is None:
                    log.warning("feed.kafka_not_reachable", error=type(error).__name__)
                self.feed.trouble = type(error).__name__
                await self._stop_feed()
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
        self.feed.trouble = None
        log.info("feed.started", topics=list(self.feed.topics))

    async def _close_days(self) -> None:
        """Close the days of wall-clock sites once they are over, also those missed while down."""
        assert self.closed is not None
        grace = timedelta(minutes=self.settings.day_close_grace_minutes)
        while True:
            with contextlib.suppress(*TRANSIENT):
                async with self.work_pool.acquire() as conn:
                    for site in await sites.all_sites(conn):
                        for day in sites.due_days(site, datetime.now(UTC), grace):
                            async with conn.transaction():
                                await sites.close_day(
                                    conn, site.site_id, day, self.closed, self.before_close
                                )
                            self.committed()
            await asyncio.sleep(DAY_CHECK_SECONDS)

    async def _stop_feed(self) -> None:
        with contextlib.suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(self.broker.stop(), 5)

    async def _close(self) -> None:
        with contextlib.suppress(*TRANSIENT, KafkaError):
            await asyncio.wait_for(self.relay.close(), 3)
        for pool in (self.api_pool, self.work_pool, *self.pools):
            with contextlib.suppress(*TRANSIENT):
                await asyncio.wait_for(pool.close(), 3)
        self.tracing.shutdown()
        log.info("service.stopped")


def end_within(seconds: float, code: int) -> None:
    """End this process, if it is still there then. What is committed is safe, as in a power cut."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        tasks = {getattr(t.get_coro(), "__qualname__", "task") for t in asyncio.all_tasks(loop)}
        log.error("service.end_forced", waiting=sorted(tasks))
        sys.stdout.flush()
        os._exit(code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def run(service: Callable[[], Awaitable[int]]) -> None:
    """Run a service's main coroutine and end the process with its exit code."""
    try:
        code = uvloop.run(_coroutine(service), loop_factory=Loop)
    except KeyboardInterrupt:
        code = 0
    sys.exit(code)


async def _coroutine(service: Callable[[], Awaitable[int]]) -> int:
    return await service()


def _by_topic(lag: dict[str, int]) -> dict[str, int]:
    topics: dict[str, int] = {}
    for place, count in lag.items():
        topic = place.rpartition("/")[0]
        topics[topic] = topics.get(topic, 0) + count
    return topics


async def _as_it_is(_conn: Connection) -> None:
    """Nothing here outlives its transaction, so a connection goes back without a question."""


async def _nothing_to_redrive(_key: object, **_asked: bool) -> dict[str, int]:
    return {"applied": 0, "dropped": 0, "left": 0}


def read_settings(service: str) -> Settings:
    """The settings from the environment; ends the process with one clear line per mistake."""
    settings = read(Settings, service)
    try:
        settings.dsn()
        settings.kafka_access()
    except ValidationError as error:
        _end_by(service, _mistakes(error, "database_url"))
    except SettingsMistake as mistake:
        _end_by(service, [str(mistake)])
    telemetry.start_logging(service, settings.log_level)
    return settings


def read(kind: type[S], service: str) -> S:
    """One kind of settings; ends the process with one clear line per mistake."""
    try:
        return kind()
    except ValidationError as error:
        _end_by(service, _mistakes(error))
    except SettingsMistake as mistake:
        _end_by(service, [str(mistake)])


def _mistakes(error: ValidationError, otherwise: str = "") -> list[str]:
    found = []
    for item in http.fields_of(error):
        name = PREFIX + (item["field"] or otherwise).upper()
        says = "it is missing" if item["code"] == "missing" else item["expected"]
        found.append(f"{name}: {says}")
    return found


def end_by_mistake(service: str, mistake: SettingsMistake) -> NoReturn:
    """End the process with one clear line about a setting."""
    _end_by(service, [str(mistake)])


def _end_by(service: str, mistakes: list[str]) -> NoReturn:
    for mistake in mistakes:
        print(f"{service}: {mistake}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


def _security(settings: Settings) -> BaseSecurity | None:
    """The settings of `kafka_access`, as FastStream wants them."""
    options = settings.kafka_access()
    tls = options.get("ssl_context")
    if "sasl_mechanism" not in options:
        return BaseSecurity(tls) if tls else None
    kind = {
        "PLAIN": SASLPlaintext,
        "SCRAM-SHA-256": SASLScram256,
        "SCRAM-SHA-512": SASLScram512,
    }[options["sasl_mechanism"]]
    return kind(options["sasl_plain_username"], options["sasl_plain_password"], tls)
