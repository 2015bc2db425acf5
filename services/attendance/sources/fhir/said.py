"""What an Appointment and an Encounter say in the same way: of whom, what kind, and when."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, get_args
from uuid import UUID

from attendance import fhir
from attendance.sources import appointments
from attendance.sources.appointments import Aspect, Case
from attendance.sources.asking import Intake
from attendance.sources.terms import Kind, Terms
from handrail.desk import store as desk
from handrail.desk.letter import MISSING, UNKNOWN, VALUE, Letter, Refusal
from handrail.events.base import SessionType
from handrail.fhir import naming
from handrail.fhir.reading import Statement, codes
from handrail.fhir.words import Resource
from handrail.outbox import Connection

SESSION_TYPE = "urn:handrail:session-type"
MOST_MINUTES = 1440


def terms_of(letter: Letter) -> Terms:
    """How the sender's words are taken."""
    return Terms.model_validate_json(letter.sender.terms)


def asking(intake: Intake) -> Callable[[Letter], Awaitable[UUID | None]]:
    """Whom a letter means; only intake knows a sender's numbers."""

    async def look_up(letter: Letter) -> UUID | None:
        statement: Statement = letter.message
        person = statement.meant(_patient(statement))
        if found := naming.admission(person):
            return found
        episodes = getattr(statement.resource, "episodeOfCare", None) or []
        visits = [name for one in episodes for name in statement.meant(one)]
        if not person and not visits:
            raise Refusal(MISSING, statement.path(_PATIENT[statement.kind]), "Name the person.")
        if found := naming.admission(visits):
            return found
        by_visit, by_person = (
            naming.keyed(letter, kind, names)
            for kind, names in (("visit", visits), ("person", person))
        )
        for visit, named in zip_longest(by_visit, by_person):
            if known := await intake.admission(visit, person=named):
                return known
        return None

    return look_up


_PATIENT = {"Appointment": "participant", "Encounter": "subject"}


def _patient(statement: Statement) -> Any:
    """The reference to the person. Raises Refusal where there are several."""
    if statement.kind == "Encounter":
        return statement.resource.subject
    actors = [one.actor for one in statement.resource.participant if one.actor]
    patients = [one for one in actors if one.type == "Patient" or _is_patient(one.reference)]
    found = patients or [one for one in actors if not one.type and _is_inside(one.reference)]
    if len(found) > 1:
        text = "One Appointment for each person: of several it cannot be said who came."
        raise Refusal(VALUE, statement.path("participant"), text)
    return found[0] if found else None


def _is_patient(reference: str | None) -> bool:
    return bool(reference) and "Patient" in str(reference).split("/")[:-1]


def _is_inside(reference: str | None) -> bool:
    return str(reference or "").startswith(("#", "urn:"))


async def case_of(
    conn: Connection, letter: Letter, names: Sequence[bytes], places: Mapping[Aspect, str]
) -> Case:
    """A statement on its way. Raises Refusal where nobody knows whom it means."""
    statement: Statement = letter.message
    admission_id = await appointments.whose(conn, letter)
    if admission_id is None:
        text = "No admission of that name is known yet. It is kept and tried again."
        raise Refusal(UNKNOWN, statement.path(places["person"]), text)
    return Case(conn, letter, admission_id, names, lambda aspect: statement.at(places[aspect]))


async def is_outdated(case: Case, session_id: UUID) -> bool:
    """Whether something newer said what became of the seat: of two kinds either may come first."""
    name = case.letter.name("decided", (str(session_id), ""))
    if case.letter.at < await desk.newest(case.conn, name):
        return True
    await desk.heard(case.conn, name, case.letter.at)
    return False


def kind_of(letter: Letter, service: Any) -> Kind:
    """What kind of session it is. Raises Refusal."""
    statement: Statement = letter.message
    terms = terms_of(letter)
    listed = service if isinstance(service, list) else [service]
    for code, system in codes(*listed):
        if code in terms.kinds:
            return terms.kinds[code]
        if system == SESSION_TYPE and code in get_args(SessionType):
            return Kind.model_validate({"session_type": code})
    if terms.kind is None:
        text = "No kind of session is entered for this service."
        raise Refusal(VALUE, statement.path("serviceType"), text)
    return terms.kind


async def shown(
    conn: Connection, letter: Letter, names: Sequence[bytes], kind: str
) -> Resource | None:
    """The person's seat in the session of these names, as it is read."""
    if letter.known is None:
        return None
    return await naming.shown(
        conn, names, fhir.FIND[kind], lambda session_id: session_id.hex + letter.known.hex
    )
