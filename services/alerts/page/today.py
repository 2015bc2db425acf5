"""The list of open concerns, and the stream of what changes on it."""

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from alerts.page import store
from alerts.page.access import Member, NotSignedIn
from alerts.page.doors import Doors
from alerts.page.lines import line
from alerts.page.live import Changes
from alerts.page.show import language_of
from alerts.page.store import Filter
from alerts.page.texts import speaker

STREAM_HEADERS = {"x-accel-buffering": "no"}


def routes(doors: Doors, changes: Changes) -> APIRouter:
    """The page at `/` and its stream."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def get_today(request: Request) -> HTMLResponse:
        """Open concerns, what to do next first."""
        member = await doors.member(request, "people")
        asked, page = _filter(request), _number(request.query_params.get("page"), 1, 1, 10_000)
        async with doors.pool.acquire() as conn, conn.transaction(isolation="repeatable_read"):
            since = await store.position(conn)
            rows, total = await store.open_concerns(conn, member, asked, page)
            choices = await store.choices(conn, member)
        language = language_of(request)
        say = speaker(language)
        fields = {
            "lines": [line(row, say, language) for row in rows],
            "total": total,
            "page": page,
            "pages": max(1, -(-total // store.PAGE)),
            "asked": asked,
            "query": _query(asked),
            "since": since,
            **{name: _named(choices, column) for name, column in _CHOICES.items()},
        }
        return doors.pages.show(request, "today.html", fields, member)

    @router.get("/live")
    async def get_live(request: Request) -> StreamingResponse:
        """What changes on the list, as server-sent events; resumes from the last id."""
        member = await doors.member(request, "people", touch=False)
        last = request.headers.get("last-event-id") or request.query_params.get("since")
        async with doors.pool.acquire() as conn:
            now = await store.position(conn)
        since = _number(last, now, 1, now)

        async def still() -> bool:
            try:
                return await doors.member(request, "people", touch=False) == member
            except NotSignedIn:
                return False

        batches = changes.since(since, doors.settings.stream_seconds, still)
        stream = _events(batches, member, _filter(request), language_of(request))
        return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)

    return router


_CHOICES = {"programs": "program_id", "tracks": "track", "sites": "site_id"}


async def _events(
    batches: AsyncIterator[store.Batch], member: Member, asked: Filter, language: str
) -> AsyncIterator[str]:
    say = speaker(language)
    yield "retry: 1000\n\n"
    async for at, rows in batches:
        seen = [row for row in rows if asked.shows(row, member)]
        for row in seen:
            shown = json.dumps(line(row, say, language), ensure_ascii=False)
            yield f"event: concern\ndata: {shown}\n\n"
        yield f"id: {at}\nevent: place\ndata: {at}\n\n"
    yield "event: end\ndata: end\n\n"


def _filter(request: Request) -> Filter:
    query = request.query_params
    return Filter(
        query.get("program") or None,
        query.get("track") or None,
        query.get("site") or query.get("site_id") or None,
        _number(query.get("level"), 3, 0, 3),
        query.get("mine") == "1",
    )


def _query(asked: Filter) -> dict[str, str]:
    fields = {
        "program": asked.program,
        "track": asked.track,
        "site": asked.site,
        "level": str(asked.level) if asked.level < 3 else None,
        "mine": "1" if asked.mine else None,
    }
    return {name: value for name, value in fields.items() if value}


def _named(choices: list[dict[str, Any]], column: str) -> list[str]:
    return sorted({row[column] for row in choices if row[column]})


def _number(word: str | None, otherwise: int, least: int, most: int) -> int:
    if not (word and word.isascii() and word.isdigit() and len(word) < 19):
        return otherwise
    return min(max(int(word), least), most)
