"""The pages where a roster is taken; what is typed goes to attendance, which owns it."""

from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from alerts.page import roster, seals
from alerts.page.access import Member
from alerts.page.doors import Doors
from alerts.page.lines import day_words
from alerts.page.neighbours import Away, Neighbours, Unknown
from alerts.page.roster_desk import Found, RosterDesk
from alerts.page.show import language_of
from alerts.page.texts import speaker
from handrail.sites import Site, zone_of

STATUS = {"roster_done": 200, "attendance_away": 503}
REFUSED = 409


def routes(  # noqa: C901  # one short function a route
    doors: Doors, neighbours: Neighbours
) -> APIRouter:
    """The pages at `/roster`."""
    router = APIRouter(include_in_schema=False)
    desk = RosterDesk(neighbours)
    look = _Look(doors)

    @router.get("/roster")
    async def get_rosters(request: Request, site: str = "", day: str = "") -> Response:
        """The sessions of a day at one site."""
        member = await doors.member(request, "roster")
        try:
            sites = await desk.sites(member)
            at = next((s for s in sites if s.site_id == site), sites[0] if sites else None)
            on = _day(day) or (roster.today(at) if at else date.min)
            sessions = await desk.sessions(member, at, on) if at else []
        except (Away, Unknown):
            return look.away(request, member)
        return look.day(request, member, [s.site_id for s in sites], (at, on, sessions))

    @router.get("/roster/{session_id}")
    async def get_roster(request: Request, session_id: str) -> Response:
        """The roster of one session."""
        member = await doors.member(request, "roster")
        try:
            found = await desk.session(member, session_id)
        except Away:
            return look.away(request, member)
        except Unknown:
            return look.nothing(request, member)
        everyone = request.query_params.get("all") == "attended"
        typed = {f"status.{s['admission_id']}": "attended" for s in found[0]["roster"] if everyone}
        is_done = request.query_params.get("done") == "1"
        told = speaker(language_of(request))("roster_done") if is_done else ""
        return await look.session(request, member, found, typed, told)

    @router.post("/roster/{session_id}")
    async def post_roster(request: Request, session_id: str) -> Response:
        """Send it on; the script asks for JSON, a plain form gets a page."""
        member, typed = await doors.form(request, "roster")
        found = None
        try:
            found = await desk.session(member, session_id)
            told, place = await desk.send(*found, typed)
        except Away:
            told, place = "attendance_away", None
        except Unknown:
            return look.nothing(request, member)
        words, status = _words(request, told, place, found), STATUS.get(told, REFUSED)
        if request.headers.get("accept") == "application/json":
            return JSONResponse({"done": told == "roster_done", "words": words}, status)
        if told == "roster_done":
            return RedirectResponse(f"/roster/{session_id}?done=1", 303)
        if found is None:
            return look.away(request, member)
        return await look.session(request, member, found, typed, words, status)

    return router


class _Look:
    """What the pages show."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors

    def day(
        self,
        request: Request,
        member: Member,
        sites: list[str],
        seen: tuple[Site | None, date, list[dict[str, Any]]],
    ) -> Response:
        site, on, sessions = seen
        fields: dict[str, Any] = {"sites": sites, "site": None}
        if site is not None:
            fields |= {
                "site": site.site_id,
                "day": on,
                "day_words": day_words(on, language_of(request)),
                "before": on - timedelta(days=1),
                "after": on + timedelta(days=1),
                "today": roster.today(site),
                "sessions": [one | {"clock": _clock(one, site)} for one in sessions],
            }
        return self.doors.pages.show(request, "rosters.html", fields, member)

    async def session(
        self,
        request: Request,
        member: Member,
        found: Found,
        typed: dict[str, str],
        told: str,
        status: int = 200,
    ) -> Response:
        session, site = found
        seats = roster.seats_of(session, typed)
        async with self.doors.pool.acquire() as conn:
            key = await seals.seal(conn, member, str(session["session_id"]))
        fields = {
            "session": session,
            "clock": _clock(session, site),
            "day": day_words(date.fromisoformat(session["held_on"]), language_of(request)),
            "seats": seats,
            "is_open": not session["is_cancelled"] and any(seat.is_open for seat in seats),
            "statuses": roster.STATUSES,
            "seal": key,
            "told": told,
            "is_good": status == 200,
        }
        return self.doors.pages.show(request, "roster.html", fields, member, status)

    def away(self, request: Request, member: Member) -> Response:
        words = {"words": "attendance_away"}
        return self.doors.pages.show(request, "message.html", words, member, 503)

    def nothing(self, request: Request, member: Member) -> Response:
        return self.doors.pages.show(request, "message.html", {"words": "not_found"}, member, 404)


def _words(request: Request, told: str, place: int | None, found: Found | None) -> str:
    """What came of it in words, with the person it speaks of."""
    say = speaker(language_of(request))
    if place is None or found is None:
        return say(told)
    person = roster.seats_of(found[0], {})[place].admission_id[:8]
    return f"{say('person_at', person=person)}: {say(told)}"


def _clock(session: dict[str, Any], site: Site) -> str:
    if not session["starts_at"]:
        return ""
    starts = datetime.fromisoformat(session["starts_at"])
    return f"{starts.astimezone(zone_of(site.time_zone)):%H:%M}"


def _day(word: str) -> date | None:
    try:
        found = date.fromisoformat(word)
    except ValueError:
        return None
    return found if 1900 < found.year < 2199 else None
