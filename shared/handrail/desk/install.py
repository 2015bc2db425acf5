"""Gives a service its desk, where a key is set."""

from handrail.configured import read
from handrail.desk import pruning, review, store
from handrail.desk.desk import Desk
from handrail.desk.sealing import Seal
from handrail.hl7.settings import Hl7Settings
from handrail.service import Service


def settings_of(service: Service) -> Hl7Settings:
    """The settings; ends the process with one clear line per mistake."""
    return read(Hl7Settings, service.name)


def install(service: Service, settings: Hl7Settings) -> Desk | None:
    """The desk with the routes to look after it and its loops; None without a key."""
    if settings.hl7_key is None:
        return None
    seal = Seal(settings.hl7_key.get_secret_value().encode())
    desk = Desk(service.api_pool, seal, service.committed)
    service.app.include_router(review.routes(desk))
    service.loops += [desk.run, lambda: pruning.run(service.work_pool, settings.hl7_keep_days)]
    service.shows["hl7"] = lambda: store.status(service.api_pool)
    return desk
