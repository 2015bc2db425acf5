"""What operators ask a service by HTTP: health, status, numbers, log level and dead letters."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict

from handrail import dead_letters, metrics, telemetry
from handrail.settings import Level
from handrail.standing import Standing
from handrail.telemetry import log


class LogLevel(BaseModel):
    """From which level on the log is written."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    level: Level


def operator_routes(
    pool: asyncpg.Pool, redrive: Callable[..., Awaitable[dict[str, int]]], standing: Standing
) -> APIRouter:
    """Health, readiness, status and dead letters."""
    router = APIRouter(tags=["operate"])

    @router.get("/health/live")
    async def get_live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @router.get("/health/ready")
    async def get_ready() -> JSONResponse:
        """Everything this service needs answers, and it was not told to end."""
        is_leaving = standing.is_leaving()
        parts = {} if is_leaving else await asyncio.wait_for(standing.ready(), 5)
        good = not is_leaving and all(state == "ok" for state in parts.values())
        told = {"service": standing.service, "ready": good, "process": os.getpid(), **parts}
        return JSONResponse(told, 200 if good else 503)

    @router.get("/status")
    async def get_status() -> dict[str, Any]:
        """What each loop of this service last did, and what waits."""
        return await standing.status()

    @router.get("/metrics", include_in_schema=False)
    async def get_metrics() -> Response:
        """The numbers, for Prometheus; also while a part is away."""
        metrics.look(await standing.numbers())
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @router.put("/v1/log-level")
    async def put_log_level(wanted: LogLevel) -> LogLevel:
        """Write more or less into the log, until the next start."""
        telemetry.set_level(wanted.level)
        log.info("log.level_set", level=wanted.level)
        return wanted

    @router.get("/v1/dead-letters")
    async def get_dead_letters(
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> list[dict[str, Any]]:
        """Records that could not be applied, without their content."""
        async with pool.acquire() as conn:
            return await dead_letters.waiting(conn, limit)

    @router.post("/v1/dead-letters/{key}/redrive")
    async def post_redrive(key: UUID, *, drop_unreadable: bool = False) -> dict[str, int]:
        """Play one admission's dead letters back in order."""
        return await redrive(key, drop_unreadable=drop_unreadable)

    return router
