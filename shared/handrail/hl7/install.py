"""Lets HL7 v2 be spoken at a service's desk: by HTTP, and by MLLP where a port is set."""

from handrail.desk.desk import Desk
from handrail.hl7 import routes
from handrail.hl7.dialect import Hl7, Part
from handrail.hl7.listener import Listener
from handrail.hl7.settings import Hl7Settings
from handrail.service import Service


def install(service: Service, desk: Desk, settings: Hl7Settings, part: Part) -> None:
    """The dialect with its route and its listener."""
    spoken = Hl7(desk, part)
    service.app.include_router(routes.routes(spoken))
    if settings.mllp_port:
        service.loops.append(Listener(settings, spoken.answer).run)
