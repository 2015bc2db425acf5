"""The life of one service: parts are made here, started in order, watched, and ended in order."""

import asyncio
import contextlib
import gc
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import uvloop
from aiokafka.errors import KafkaError
from fastapi import Depends, FastAPI
from fastapi.telemetry import TelemetryConfig
from opentelemetry.sdk.trace import TracerProvider

from handrail import http, server, sites, telemetry
from handrail.access import guard
from handrail.access.guard import AccessSettings, Guard, Programs
from handrail.access.rates import Rates
from handrail.applying import Applier, Apply
from handrail.broker import consuming_broker
from handrail.configured import read
from handrail.ending import end_within
from handrail.events import DayClosed
from handrail.feed import Feed, SilentError
from handrail.loop import Loop
from handrail.operating import operator_routes
from handrail.pools import api_pool, work_pool
from handrail.relay import Relay
from handrail.settings import Settings
from handrail.sites import BeforeClose
from handrail.standing import Standing
from handrail.telemetry import log
from handrail.topics import topic_of
from handrail.transient import TRANSIENT

EXIT_RESTART_ME = 75
# A library that waits for a network that is gone may not hold up the end for longer.
STOP_SECONDS = 25.0
DAY_CHECK_SECONDS = 15.0
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

    def __post_init__(self) -> None:
        """Make the parts; nothing connects before `serve`."""
        self.tracing: TracerProvider = telemetry.start_tracing(self.name, self.settings)
        self.api_pool = api_pool(self.name, self.settings)
        self.work_pool = work_pool(self.name, self.settings)
        self.relay = Relay(
            self.name,
            self.work_pool,
            self.settings.kafka_bootstrap,
            self.settings.kafka_access(),
        )
        self.broker = consuming_broker(self.name, self.settings)
        self.feed: Feed | None = None
        if self.apply:
            topics = tuple(topic_of(owner) for owner in self.reads)
            applier = Applier(self.work_pool, self.apply, self.committed)
            self.feed = Feed(self.name, topics, applier)
            self.feed.rest_seconds = self.feed_rest_seconds
            self.feed.subscribe(self.broker, _instance(), self.settings.kafka_session_seconds)
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
        redrive = self.feed.applier.redrive if self.feed else _nothing_to_redrive
        self.shows["sites"] = lambda: sites.closed(self.api_pool)
        self.standing = Standing(
            self.name, self.api_pool, self.relay, self.feed, self.shows, lambda: self.is_stopping
        )
        self.app.include_router(operator_routes(self.api_pool, redrive, self.standing))
        self._exit_code = 0

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
                self.feed.is_connected = False
                await self._stop_feed()

    async def _connect_feed(self) -> None:
        assert self.feed is not None
        pause = 0.2
        while not self.feed.is_connected:
            try:
                await self.broker.start()
                self.feed.is_connected = True
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


def run(service: Callable[[], Awaitable[int]]) -> None:
    """Run a service's main coroutine and end the process with its exit code."""
    try:
        code = uvloop.run(_coroutine(service), loop_factory=Loop)
    except KeyboardInterrupt:
        code = 0
    sys.exit(code)


async def _coroutine(service: Callable[[], Awaitable[int]]) -> int:
    return await service()


def _instance() -> str:
    """This member's name in the consumer group; each container's host name is its own."""
    return os.environ.get("HANDRAIL_INSTANCE") or socket.gethostname()


async def _nothing_to_redrive(_key: object, **_asked: bool) -> dict[str, int]:
    return {"applied": 0, "dropped": 0, "left": 0}
