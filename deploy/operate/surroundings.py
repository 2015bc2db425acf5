"""What a service that the command starts finds in its environment."""

import os
from dataclasses import dataclass

from handrail.personal.settings import KEY as PERSONAL_KEY
from operate import databases
from operate.addresses import ACCESS_KEY
from operate.ground import EXTERNAL_DATABASE, EXTERNAL_KAFKA
from operate.home import HOST, MLLP, SERVICES, Home
from operate.parts.kafka import SESSION_SECONDS

SESSION = "HANDRAIL_KAFKA_SESSION_SECONDS"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the services of a home find their database, Kafka and each other."""

    home: Home
    ports: dict[str, int]
    admin_url: str
    bootstrap: str

    def of(self, name: str) -> dict[str, str]:
        """The environment of one service: ours, with what it needs. What ours says of a key or an issuer holds."""
        return {k: v for k, v in os.environ.items() if k != EXTERNAL_DATABASE} | {
            "HANDRAIL_HOME": str(self.home.folder),
            "HANDRAIL_SERVICE": name,
            "HANDRAIL_DATABASE_URL": databases.url_of(self.admin_url, name, self.home),
            "HANDRAIL_KAFKA_BOOTSTRAP": self.bootstrap,
            **({} if os.environ.get(EXTERNAL_KAFKA) else _session()),
            **self._secrets(),
            "HANDRAIL_ACCESS_ISSUER": os.environ.get("HANDRAIL_ACCESS_ISSUER")
            or os.environ.get("HANDRAIL_OIDC_ISSUER")
            or f"http://{HOST}:{self.ports['alerts']}/development",
            **(self._keys(name) if name in databases.KEYED else {}),
            "HANDRAIL_HTTP_HOST": HOST,
            "HANDRAIL_HTTP_PORT": str(self.ports[name]),
            **{f"HANDRAIL_{n.upper()}_URL": f"http://{HOST}:{self.ports[n]}" for n in SERVICES},
            **({"HANDRAIL_MLLP_PORT": str(self.ports[MLLP[name]])} if name in MLLP else {}),
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",
        }

    def _secrets(self) -> dict[str, str]:
        kept = {
            "HANDRAIL_AUDIT_KEY": "audit_key",
            ACCESS_KEY: "access_key",
            "HANDRAIL_HL7_KEY": "hl7_key",
        }
        return {name: os.environ.get(name) or self.home.secret(own) for name, own in kept.items()}

    def _keys(self, name: str) -> dict[str, str]:
        """Where a service's keys lie, and what wraps them; the environment's comes first."""
        kept = {
            "HANDRAIL_KEYS_URL": databases.keys_url_of(self.admin_url, name, self.home),
            f"{PERSONAL_KEY}_FILE": str(self.home.wrapping_keys()),
        }
        if os.environ.get(PERSONAL_KEY) or os.environ.get(f"{PERSONAL_KEY}_FILE"):
            del kept[f"{PERSONAL_KEY}_FILE"]
        return kept


def _session() -> dict[str, str]:
    return {SESSION: os.environ.get(SESSION) or str(SESSION_SECONDS)}
