"""What leaves to subscribers outside: who they are, what they are told, and the ledger of it."""

from handrail.configured import read
from handrail.egress import EgressSettings
from handrail.service import Service
from intake.disclosures import emergencies, emergency_routes, routes, subscribers
from intake.disclosures.backport import routes as backport
from intake.disclosures.courier import Courier
from intake.disclosures.ledger import LedgerSettings
from intake.disclosures.reader import Reader
from intake.disclosures.topics import Topics


def install(service: Service) -> None:
    """Give the service the routes and three loops; they rest while nobody subscribes."""
    key = read(LedgerSettings, service.name).key()
    egress = read(EgressSettings, service.name)
    allowed = egress.networks()
    topics = Topics(
        service.work_pool,
        service.settings.kafka_bootstrap,
        service.settings.kafka_access(),
        egress.egress_topic_days,
    )
    courier = Courier(service.work_pool, topics, key, allowed)
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
        topics.wake()

    service.app.include_router(routes.routes(service.api_pool, entered, key, allowed, topics))
    service.app.include_router(routes.ledger_routes(service.api_pool, service.committed, key))
    # Before the routes that read by an id: `$status` is none.
    service.app.include_router(backport.routes(service.api_pool, entered, key, allowed))
    service.app.include_router(backport.told_routes(service.api_pool, service.committed, key))
    service.app.include_router(emergency_routes.routes(service.api_pool, service.committed, key))
    service.loops += [reader.run, courier.run, topics.run]
    service.shows["emergencies"] = lambda: emergencies.to_review(service.work_pool)
    service.shows["topics"] = topics.status
    service.shows["subscribers"] = lambda: subscribers.status(service.work_pool)
