"""The plain list of open concerns, server-rendered; it works without a script."""

from pathlib import Path
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape

from alerts import desk

LEVELS = {0: "Safety", 1: "High", 2: "Elevated", 3: "Watch"}
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}


def routes(pool: asyncpg.Pool) -> APIRouter:
    """The page at `/`."""
    router = APIRouter(include_in_schema=False)
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape()
    )
    template = pages.get_template("today.html")

    @router.get("/")
    async def get_today(
        *,
        site_id: str | None = None,
        level: Annotated[int, Query(ge=0, le=3)] = 3,
        closed: bool = False,
    ) -> HTMLResponse:
        """Open concerns, what to do next first."""
        async with pool.acquire() as conn:
            rows = await desk.concerns(conn, site_id=site_id, is_open=not closed, limit=500)
        shown = [row for row in rows if row["level"] <= level]
        text = template.render(concerns=shown, levels=LEVELS, closed=closed)
        return HTMLResponse(text, headers=_HEADERS)

    return router
