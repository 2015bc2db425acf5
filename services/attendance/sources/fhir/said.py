"""What an Appointment and an Encounter say in the same way: of whom, what kind, and when."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, get_args
from uuid import UUID

from attendance import fhir
from attendance.sources.appointments import Aspect, Case
from attendance.sources.asking import Intake
from attendance.sources.terms import Kind, Terms
from handrail.desk import store as desk
from handrail.desk.letter import MISSING, UNKNOWN, VALUE, Letter, Refusal
from handrail.events.base import SessionType
from handrail.fhir.asked import ADMISSION, Asked, uuid_of
from handrail.fhir.reading import Name, Statement, codes
from handrail.fhir.words import Resource
from handrail.outbox import Connection

SESSION_TYPE = "urn:handrail:session-type"
MOST_MINUTES = 1440


def terms_of(letter: Letter) -> Terms:
    """How the sender's words are taken."""
    return Terms.model_validate_json(letter.sender.terms)


def keyed(letter: Letter, kind: str, names: Iterable[Name]) -> list[bytes]:
    """Keyed names, as HL7 messages of the same sender give them."""
    systems = terms_of(letter).systems
    return [letter.name(kind, (value, systems.get(system, system))) for value, system in names]


def asking(intake: Intake) -> Callable[[Letter], Awaitable[UUID | None]]:
    """Whom a letter means; only intake knows a sender's numbers."""

    async def look_up(letter: Letter) -> UUID | None:
        statement: Statement = letter.message
        person = statement.meant(_patient(statement))
        if found := _admission(person):
            return found
        episodes = getattr(statement.resource, "episodeOfCare", None) or []
        visits = [name for one in episodes for name in statement.meant(one)]
        if not person and not visits:
            raise Refusal(MISSING, statement.path(_PATIENT[statement.kind]), "Name the person.")
        if found := _admission(visits):
            return found
        pairs = zip_longest(keyed(letter, "visit", visits), keyed(letter, "person", person))
        for visit, named in pairs:
            if known := await intake.admission(visit, person=named):
                return known
        return None

    return look_up


_PATIENT = {"Appointment": "participant", "Encounter": "subject"}


def _admission(names: Iterable[Name]) -> UUID | None:
    """An admission may be named by our own identifier, as it is read here."""
    return next((uuid_of(value) for value, system in names if system == ADMISSION), None)


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


def case_of(
    conn: Connection, letter: Letter, names: Sequence[bytes], places: Mapping[Aspect, str]
) -> Case:
    """A statement on its way. Raises Refusal where nobody knows whom it means."""
    statement: Statement = letter.message
    if letter.known is None:
        text = "No admission of that name is known yet. It is kept and tried again."
        raise Refusal(UNKNOWN, statement.path(places["person"]), text)
    return Case(conn, letter, letter.known, names, lambda aspect: statement.at(places[aspect]))


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
    """What is held under these names, as it is read."""
    for name in names if letter.known else ():
        if session_id := await desk.find(conn, name):
            asked = Asked(ids=(session_id.hex + letter.known.hex,), limit=1)
            found = await fhir.FIND[kind](conn, asked)
            return found[0] if found else None
    return None
