"""Gives a service its desk, where keys are set."""

from functools import partial

from handrail.configured import read
from handrail.desk import pruning, review, store
from handrail.desk.contents import Contents
from handrail.desk.desk import Desk
from handrail.desk.sealing import Seal
from handrail.hl7.settings import Hl7Settings
from handrail.personal.vault import Vault
from handrail.service import Service


def settings_of(service: Service) -> Hl7Settings:
    """The settings; ends the process with one clear line per mistake."""
    return read(Hl7Settings, service.name)


def install(service: Service, settings: Hl7Settings, vault: Vault | None) -> Desk | None:
    """The desk with the routes to look after it and its loops; None without keys."""
    if settings.hl7_key is None or vault is None:
        return None
    seal = Seal(settings.hl7_key.get_secret_value().encode())
    contents = Contents(vault, seal)
    desk = Desk(service.api_pool, seal, contents, service.committed)
    service.app.include_router(review.routes(desk))
    forgets = partial(pruning.run, service.work_pool, settings.hl7_keep_days, contents)
    service.loops += [desk.run, forgets]
    service.shows["hl7"] = lambda: store.status(service.api_pool)
    return desk
