"""SIU messages from other systems: appointments booked, moved, cancelled, kept and missed."""

from datetime import datetime
from zoneinfo import ZoneInfo

from attendance.siu import appointments, routes
from attendance.siu.asking import Intake
from handrail.desk.desk import Desk
from handrail.desk.letter import Letter
from handrail.hl7.dialect import Part
from handrail.hl7.install import install as install_hl7
from handrail.hl7.reading import Message
from handrail.hl7.settings import Hl7Settings
from handrail.outbox import Connection
from handrail.service import Service


def install(service: Service, desk: Desk, settings: Hl7Settings) -> None:
    """Have the desk take SIU."""
    intake = Intake(settings, service.access.inner_auth(service.name))
    part = Part(
        "SIU",
        frozenset(appointments.BY_EVENT),
        appointments.subject,
        apply,
        moment,
        intake.admission,
    )
    install_hl7(service, desk, settings, part)
    service.app.include_router(routes.routes(desk))


async def apply(conn: Connection, letter: Letter) -> None:
    """Carry out what a message says. Raises Refusal or Rejected."""
    event = letter.message.event
    if event in appointments.BY_EVENT:
        await appointments.BY_EVENT[event](appointments.case_of(conn, letter))


def moment(message: Message, zone: ZoneInfo) -> datetime:
    """When it was sent: SIU says no other time."""
    return message.moment("MSH", 7, zone)
