"""What other systems tell of appointments: HL7 v2 SIU, and FHIR."""

from attendance.sources import fhir, routes, siu
from attendance.sources.asking import Intake
from handrail.desk.install import install as install_desk
from handrail.desk.install import settings_of
from handrail.fhir.dialect import Fhir
from handrail.hl7.install import install as install_hl7
from handrail.personal.vault import Vault
from handrail.service import Service


def install(service: Service, vault: Vault | None) -> Fhir | None:
    """Give the service its desk, where keys are set, and FHIR as it is spoken there."""
    settings = settings_of(service)
    desk = install_desk(service, settings, vault)
    if desk is None:
        return None
    intake = Intake(settings, service.access.inner_auth(service.name))
    install_hl7(service, desk, settings, siu.part(intake))
    service.app.include_router(routes.routes(desk))
    return Fhir(desk, fhir.parts(intake))
