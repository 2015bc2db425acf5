"""FastStream's broker: where Kafka is and how a service is let in; it only consumes."""

from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from handrail.settings import Settings


def consuming_broker(service: str, settings: Settings) -> KafkaBroker:
    """A broker that connects when it is started, never makes a topic and logs nothing by itself."""
    return KafkaBroker(
        # FastStream takes a text for one address.
        settings.kafka_bootstrap.split(","),
        security=_security(settings),
        logger=None,
        consumer_only=True,
        allow_auto_create_topics=False,
        client_id=f"handrail-{service}",
    )


def _security(settings: Settings) -> BaseSecurity | None:
    """The settings of `kafka_access`, as FastStream wants them."""
    options = settings.kafka_access()
    tls = options.get("ssl_context")
    if "sasl_mechanism" not in options:
        return BaseSecurity(tls) if tls else None
    kind = {
        "PLAIN": SASLPlaintext,
        "SCRAM-SHA-256": SASLScram256,
        "SCRAM-SHA-512": SASLScram512,
    }[options["sasl_mechanism"]]
    return kind(options["sasl_plain_username"], options["sasl_plain_password"], tls)
