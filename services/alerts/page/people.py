"""The page of one person, and the forms on it: each is posted, carried out once, and leads back."""

from datetime import UTC, date, datetime
from typing import Any, get_args
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from alerts import policies
from alerts.page import acts, elsewhere, history, person, store
from alerts.page.access import Member
from alerts.page.acts import Changed
from alerts.page.doors import Doors
from alerts.page.lines import day_words, line, moment_words
from alerts.page.neighbours import Neighbours
from alerts.page.person import Person
from alerts.page.show import language_of
from alerts.page.strip import with_seats
from alerts.page.texts import speaker
from alerts.rules import Ladder
from handrail import edges, telemetry
from handrail.edges import Committed
from handrail.events.alerts import SnoozeReason
from handrail.events.attendance import Channel
from handrail.receipts import Rejected

COMMON = (
    "no_answer",
    "left_neutral_message",
    "reached_returning",
    "reached_undecided",
    "reached_declined",
    "support_person_reached",
)
RARE = ("bad_number", "found_in_hospital", "found_in_jail", "moved", "died")
ASSIGNABLE = ("primary_clinician", "case_manager", "supervisor", "medical_director")
HOURS = (4, 24, 48, 72)


def routes(doors: Doors, committed: Committed, ladder: Ladder, neighbours: Neighbours) -> APIRouter:
    """The page of a person and what can be done about their concern."""
    router = APIRouter(include_in_schema=False)

    @router.get("/people/{admission_id}")
    async def get_person(request: Request, admission_id: str) -> Response:
        member = await doors.member(request, "people")
        fields = await _fields(doors, request, member, admission_id, ladder)
        if fields is not None:
            await _complete(fields, neighbours)
        if fields is None:
            return doors.pages.show(
                request, "message.html", {"words": "not_found"}, member, status=404
            )
        return doors.pages.show(request, "person.html", fields, member)

    @router.post("/concerns/{concern_id}")
    async def post_act(request: Request, concern_id: UUID) -> Response:
        member, fields = await doors.form(request, "work")
        try:
            result = await edges.in_one_transaction(
                doors.pool,
                committed,
                lambda conn: acts.act(conn, member, concern_id, fields, ladder),
            )
        except Changed:
            return await _again(doors, request, member, concern_id, fields)
        except (ValidationError, Rejected) as error:
            code = error.code if isinstance(error, Rejected) else "field_unknown"
            return _refused(doors, request, member, code)
        if result.status == "rejected":
            return _refused(doors, request, member, result.code or "")
        async with doors.pool.acquire() as conn:
            [row] = await store.concerns(conn, [concern_id])
        trace = (telemetry.current_traceparent() or "--").split("-")[1]
        done = fields.get("do", "") if fields.get("do") in acts.ACTS else ""
        return RedirectResponse(f"/people/{row['admission_id']}?done={done}&trace={trace}", 303)

    return router


def _refused(doors: Doors, request: Request, member: Member, code: str) -> Response:
    status = 404 if code == "concern_unknown" else 409
    return doors.pages.show(request, "message.html", {"words": f"no_{code}"}, member, status)


async def _again(
    doors: Doors, request: Request, member: Member, concern_id: UUID, fields: dict[str, str]
) -> Response:
    """Somebody was faster: say what they did, and keep what was typed to be sent on."""
    language = language_of(request)
    async with doors.pool.acquire() as conn:
        [row] = await store.concerns(conn, [concern_id])
    shown = {
        "line": line(row, speaker(language), language),
        "fields": {n: v for n, v in fields.items() if n != "seen"},
        "seen": acts.seen(row),
        "path": f"/concerns/{concern_id}",
    }
    return doors.pages.show(request, "changed.html", shown, member, 409)


async def _fields(
    doors: Doors, request: Request, member: Member, admission_id: str, ladder: Ladder
) -> dict[str, Any] | None:
    named, day = _uuid(admission_id), _day(request.query_params.get("day"))
    if named is None:
        return None
    async with doors.pool.acquire() as conn, conn.transaction(isolation="repeatable_read"):
        found = await person.find(conn, member, named, ladder, day)
        if found is None:
            return None
        tried = await history.outreach(conn, named)
        traces = await history.traces(conn, named)
        pauses = await history.suppressions(conn, named)
        policy = (await policies.load(conn, [found.known.site_id])).on(
            found.known.site_id, found.today.toordinal()
        )
    language = language_of(request)
    say, zone = speaker(language), found.known.time_zone
    concern = found.open_concern()
    done = request.query_params.get("done", "")
    trace = request.query_params.get("trace", "")
    return {
        "person": found,
        "short": str(named)[:8],
        "place": _place(found),
        "lines": [line(row, say, language) for row in found.concerns],
        "concern": concern,
        "seen": acts.seen(concern) if concern else "",
        "new_key": lambda: uuid4().hex,
        "may_work": member.may("work"),
        "policy": policy,
        "channels": get_args(Channel),
        "common": COMMON,
        "rare": RARE,
        "assignable": ASSIGNABLE,
        "snooze_reasons": get_args(SnoozeReason),
        "hours": HOURS,
        "tried": [
            one | {"when": moment_words(one["occurred_at"], zone, say, language)} for one in tried
        ],
        "traces": [
            one | {"when": moment_words(one["raised_at"], zone, say, language)} for one in traces
        ],
        "pauses": pauses,
        "day_words": lambda at: day_words(at, language),
        "done": done if done in acts.ACTS else "",
        "trace": trace if len(trace) == 32 and trace.isalnum() else "",
        "now": datetime.now(UTC),
    }


async def _complete(fields: dict[str, Any], neighbours: Neighbours) -> None:
    """Put in what the other services know; where one is away, what alerts knows stands."""
    found: Person = fields["person"]
    told = await elsewhere.ask(
        neighbours, found.known.admission_id, found.today, with_contacts=fields["may_work"]
    )
    fields["weeks"] = found.weeks if told.seats is None else with_seats(found.weeks, told.seats)
    fields["has_seats"] = told.seats is not None
    fields["consents"], fields["supports"] = told.consents, told.supports
    fields["contacts"] = told.contacts


def _place(found: Person) -> str:
    known = found.known
    return " · ".join(part for part in (known.program_id, known.track, known.site_id) if part)


def _uuid(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None


def _day(word: str | None) -> date | None:
    try:
        return date.fromisoformat(word) if word else None
    except ValueError:
        return None
