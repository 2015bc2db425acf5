"""SIU messages from other systems: appointments booked, moved, cancelled, kept and missed."""

from datetime import datetime
from zoneinfo import ZoneInfo

from attendance.siu import appointments, routes
from attendance.siu.asking import Intake
from handrail.hl7.desk import Letter, Part
from handrail.hl7.install import install as install_desk
from handrail.hl7.install import settings_of
from handrail.hl7.reading import Message
from handrail.outbox import Connection
from handrail.service import Service


def install(service: Service) -> None:
    """Give the service its desk for SIU, where a key is set."""
    settings = settings_of(service)
    intake = Intake(settings, service.access.inner_auth(service.name))
    part = Part(
        "SIU",
        frozenset(appointments.BY_EVENT),
        appointments.subject,
        apply,
        moment,
        intake.admission,
    )
    desk = install_desk(service, settings, part)
    if desk:
        service.app.include_router(routes.routes(desk))


async def apply(conn: Connection, letter: Letter) -> None:
    """Carry out what a message says. Raises Refusal or Rejected."""
    event = letter.message.event
    if event in appointments.BY_EVENT:
        await appointments.BY_EVENT[event](appointments.case_of(conn, letter))


def moment(message: Message, zone: ZoneInfo) -> datetime:
    """When it was sent: SIU says no other time."""
    return message.moment("MSH", 7, zone)
