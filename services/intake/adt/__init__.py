"""ADT messages from other systems: referrals, admissions, leave, ends and merges."""

from datetime import datetime
from zoneinfo import ZoneInfo

from handrail.desk.desk import Desk
from handrail.desk.letter import Letter
from handrail.hl7.dialect import Part
from handrail.hl7.install import install as install_hl7
from handrail.hl7.reading import Message
from handrail.hl7.settings import Hl7Settings
from handrail.outbox import Connection
from handrail.service import Service
from intake.adt import hospital, routes, visits
from intake.telling import case_of


def install(service: Service, desk: Desk, settings: Hl7Settings) -> None:
    """Have the desk take ADT."""
    part = Part("ADT", frozenset(visits.BY_EVENT), visits.subject, apply, moment, whom=visits.whom)
    install_hl7(service, desk, settings, part)
    service.app.include_router(routes.routes(desk))


async def apply(conn: Connection, letter: Letter) -> None:
    """Carry out what a message says. Raises Refusal or Rejected."""
    case = case_of(conn, letter)
    if letter.sender.is_outside:
        await hospital.take(case)
    else:
        await visits.BY_EVENT[letter.message.event](case)


def moment(message: Message, zone: ZoneInfo) -> datetime:
    """When it happened, where that is said; else when it was recorded, or sent."""
    for segment, field in (("EVN", 6), ("EVN", 2)):
        if message.value(segment, field):
            return message.moment(segment, field, zone)
    return message.moment("MSH", 7, zone)
