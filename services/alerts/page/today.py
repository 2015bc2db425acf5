"""The list of open concerns, and the stream of what changes on it."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from alerts.page import store
from alerts.page.access import Member
from alerts.page.doors import Doors
from alerts.page.lines import line
from alerts.page.live import Changes
from alerts.page.refs import ref
from alerts.page.show import language_of
from alerts.page.store import Filter
from alerts.page.texts import speaker
from alerts.page.watch import Watch

# What a line says of the moment (today, overdue) is right again after so long.
FRESH_SECONDS = 1.0
STREAM_HEADERS = {"x-accel-buffering": "no"}


def routes(doors: Doors, changes: Changes) -> APIRouter:
    """The page at `/` and its stream."""
    router = APIRouter(include_in_schema=False)
    watch, shown = Watch(doors.pool, doors.idle), Shown()

    @router.get("/")
    async def get_today(request: Request) -> HTMLResponse:
        """Open concerns, what to do next first."""
        member = await doors.member(request, "people")
        asked, page = _filter(request), _number(request.query_params.get("page"), 1, 1, 10_000)
        async with doors.pool.acquire() as conn, conn.transaction(isolation="repeatable_read"):
            since = await store.position(conn)
            choices = await store.choices(conn, member)
            asked = asked.named(choices)
            rows, total = await store.open_concerns(conn, member, asked, page)
        language = language_of(request)
        say = speaker(language)
        fields = {
            "lines": [line(row, say, language) for row in rows],
            "total": total,
            "page": page,
            "pages": max(1, -(-total // store.PAGE)),
            "asked": asked,
            "query": _query(asked),
            "chips": [
                *(name for name in (asked.program, asked.track, asked.site) if name),
                *([str(asked.level)] if asked.level < 3 else []),
                *([say("mine")] if asked.mine else []),
            ],
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
            return await watch.goes_on(member)

        batches = changes.since(since, doors.settings.stream_seconds, still)
        lines = shown.in_language(language_of(request))
        stream = _events(
            batches, watch.of(member), partial(_asked, _filter(request), member), lines
        )
        return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)

    return router


_CHOICES = {"programs": "program_id", "tracks": "track", "sites": "site_id"}


class Shown:
    """A line's text, made once for all streams of a language while it is fresh."""

    def __init__(self) -> None:
        """Nothing is made yet."""
        self._made: dict[tuple[object, ...], str] = {}
        self._at = 0.0

    def in_language(self, language: str) -> Callable[[dict[str, Any]], str]:
        """Gives the text of a concern."""
        say = speaker(language)

        def text(row: dict[str, Any]) -> str:
            now = time.monotonic()
            if now - self._at > FRESH_SECONDS:
                self._made, self._at = {}, now
            key = (row["concern_id"], row["changed_in"], language)
            if key not in self._made:
                self._made[key] = json.dumps(line(row, say, language), ensure_ascii=False)
            return self._made[key]

        return text


def _asked(asked: Filter, member: Member, row: dict[str, Any]) -> bool:
    return asked.shows(row, member)


async def _events(
    batches: AsyncIterator[store.Batch],
    watched: AbstractContextManager[None],
    is_asked: Callable[[dict[str, Any]], bool],
    text: Callable[[dict[str, Any]], str],
) -> AsyncIterator[str]:
    with watched:
        yield "retry: 1000\n\n"
        async for at, rows in batches:
            parts = [f"event: concern\ndata: {text(row)}\n\n" for row in rows if is_asked(row)]
            yield "".join((*parts, f"id: {at}\nevent: place\ndata: {at}\n\n"))
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
        "program": asked.program and ref(asked.program),
        "track": asked.track and ref(asked.track),
        "site": asked.site and ref(asked.site),
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
