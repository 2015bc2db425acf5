"""What leaves to subscribers outside: who they are, what they are told, and the ledger of it."""

from handrail.egress import EgressSettings
from handrail.service import Service, read
from intake.disclosures import emergencies, emergency_routes, routes, subscribers
from intake.disclosures.courier import Courier
from intake.disclosures.ledger import LedgerSettings
from intake.disclosures.reader import Reader


def install(service: Service) -> None:
    """Give the service the routes and the two loops; they rest while nobody subscribes."""
    key = read(LedgerSettings, service.name).key()
    allowed = read(EgressSettings, service.name).networks()
    courier = Courier(service.work_pool, key, allowed)
    reader = Reader(
        service.settings.kafka_bootstrap,
        service.work_pool,
        courier.wake,
        service.settings.kafka_access(),
    )

    def entered() -> None:
        service.committed()
        reader.wake()
        courier.wake()

    service.app.include_router(routes.routes(service.api_pool, entered, key, allowed))
    service.app.include_router(routes.ledger_routes(service.api_pool, service.committed, key))
    service.app.include_router(emergency_routes.routes(service.api_pool, service.committed, key))
    service.loops += [reader.run, courier.run]
    service.shows["emergencies"] = lambda: emergencies.to_review(service.api_pool)
    service.shows["subscribers"] = lambda: subscribers.status(service.api_pool)
