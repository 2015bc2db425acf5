"""A user of the Kubernetes manifests, made on a test's own broker: what it may do is what stands there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from handrail.settings import KafkaSettings
from operate.home import source_folder

FILE = Path(source_folder(), "deploy", "kubernetes", "base", "kafka.yaml")
PATTERNS = {
    "literal": ACLResourcePatternType.LITERAL,
    "prefix": ACLResourcePatternType.PREFIXED,
}


def enter(known: KafkaSettings, name: str, password: str) -> None:
    """Make this user of the manifest, by one who may do everything."""
    rights = list(_rights(name))
    access = known.kafka_access()
    with KafkaAdminClient(bootstrap_servers=known.kafka_bootstrap, **access) as admin:
        user = UserScramCredentialUpsertion(name, ScramMechanism.SCRAM_SHA_512, password)
        assert admin.alter_user_scram_credentials([user]) == {name: None}
        assert admin.create_acls(rights)["failed"] == []


def _rights(name: str) -> Iterator[ACL]:
    documents = yaml.safe_load_all(FILE.read_text())
    [user] = [
        one for one in documents if (one["kind"], one["metadata"]["name"]) == ("KafkaUser", name)
    ]
    for right in user["spec"]["authorization"]["acls"]:
        for operation in right["operations"]:
            yield ACL(
                f"User:{name}",
                "*",
                ACLOperation[re.sub(r"(?<!^)(?=[A-Z])", "_", operation).upper()],
                ACLPermissionType.ALLOW,
                _place(right["resource"]),
            )


def _place(resource: dict[str, Any]) -> ResourcePattern:
    kind = ResourceType[resource["type"].upper()]
    pattern = PATTERNS[resource.get("patternType", "literal")]
    return ResourcePattern(kind, resource.get("name", "kafka-cluster"), pattern)
