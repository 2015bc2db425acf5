"""Gives intake its vault, the contacts it seals, and erasure."""

from functools import partial

from handrail.configured import read
from handrail.personal import install as keys
from handrail.personal.install import vault_of
from handrail.personal.vault import Vault
from handrail.service import Service
from intake import contacts, erasure
from intake.disclosures.ledger import LedgerSettings
from intake.erasure import Eraser


def install(service: Service) -> Vault | None:
    """The vault; without keys no contact is taken, and there is nothing to erase."""
    vault = vault_of(service.name)
    keys.install(service, vault)
    service.app.include_router(contacts.routes(service.api_pool, vault))
    if vault:
        eraser = Eraser(vault, read(LedgerSettings, service.name).key())
        service.app.include_router(erasure.routes(service.api_pool, service.committed, eraser))
        service.loops.append(partial(eraser.run, service.work_pool, service.committed))
    return vault
