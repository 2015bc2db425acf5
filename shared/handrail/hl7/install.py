"""Gives a service its desk for messages, where a key is set."""

from handrail.hl7 import routes, store
from handrail.hl7.desk import Desk, Part
from handrail.hl7.listener import Listener
from handrail.hl7.sealing import Seal
from handrail.hl7.settings import Hl7Settings
from handrail.service import Service, read


def settings_of(service: Service) -> Hl7Settings:
    """The settings; ends the process with one clear line per mistake."""
    return read(Hl7Settings, service.name)


def install(service: Service, settings: Hl7Settings, part: Part) -> Desk | None:
    """The desk with its routes, its listener and its loop; None without a key."""
    if settings.hl7_key is None:
        return None
    seal = Seal(settings.hl7_key.get_secret_value().encode())
    desk = Desk(service.api_pool, seal, part, service.committed)
    service.app.include_router(routes.routes(desk))
    service.loops.append(desk.run)
    service.shows["hl7"] = lambda: store.status(service.api_pool)
    if settings.mllp_port:
        service.loops.append(Listener(settings, desk.answer).run)
    return desk
