"""What our Kafka lets a subscriber do: a topic, a user and two rights of its own, and nothing else."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from kafka import errors
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from handrail.receipts import Rejected
from intake.disclosures.topics import name_of

SCRAM = ScramMechanism.SCRAM_SHA_512
OPEN_TO_ALL = "allow.everyone.if.no.acl.found"
DAY_MILLISECONDS = 24 * 60 * 60 * 1000
_ANSWER_MILLISECONDS = 10_000
_FIND_MILLISECONDS = 5_000
_NOT_OURS = (
    errors.ClusterAuthorizationFailedError,
    errors.TopicAuthorizationFailedError,
    errors.PolicyViolationError,
)
T = TypeVar("T")


@dataclass(frozen=True)
class Rights:
    """Each call is one conversation with the broker; it blocks, and may be repeated.

    All raise Rejected where the broker cannot or may not do it, and ConnectionError where it
    does not answer.
    """

    bootstrap: str
    access: Mapping[str, Any]
    keep_days: int

    def enter(self, subscriber_id: UUID) -> str:
        """Make its topic and user, and let it in. Gives the password, which nobody keeps."""

        def act(admin: KafkaAdminClient) -> str:
            _require_guarded(admin)
            _make_topic(admin, name_of(subscriber_id), self.keep_days)
            password = _set_password(admin, name_of(subscriber_id))
            _allow(admin, name_of(subscriber_id))
            return password

        return self._ask(act)

    def renew(self, subscriber_id: UUID) -> str:
        """Another password; with the one before no connection is opened any more."""
        return self._ask(lambda admin: _set_password(admin, name_of(subscriber_id)))

    def let_in(self, subscriber_id: UUID) -> None:
        """It may read its topic."""
        self._ask(lambda admin: _allow(admin, name_of(subscriber_id)))

    def shut_out(self, subscriber_id: UUID) -> None:
        """It may read nothing, from its next question on; its topic stays."""
        self._ask(lambda admin: _forbid(admin, name_of(subscriber_id)))

    def remove(self, subscriber_id: UUID) -> None:
        """Nothing of it stays: no right, no user, no topic."""

        def act(admin: KafkaAdminClient) -> None:
            name = name_of(subscriber_id)
            _forbid(admin, name)
            if admin.describe_user_scram_credentials([name])[name]["error"] is None:
                gone = UserScramCredentialDeletion(name, SCRAM)
                _require_done(admin.alter_user_scram_credentials([gone]))
            if name in admin.list_topics():
                admin.delete_topics([name])

        self._ask(act)

    def _ask(self, act: Callable[[KafkaAdminClient], T]) -> T:
        try:
            with KafkaAdminClient(
                bootstrap_servers=self.bootstrap.split(","),
                client_id="handrail-rights",
                bootstrap_timeout_ms=_FIND_MILLISECONDS,
                request_timeout_ms=_ANSWER_MILLISECONDS,
                **self.access,
            ) as admin:
                return act(admin)
        except errors.SecurityDisabledError:
            raise Rejected(
                "kafka_guards_nothing",
                "Kafka has no authorizer, so everybody could read everything: set "
                "authorizer.class.name and super.users first; see docs/topics.md.",
                "url",
            ) from None
        except _NOT_OURS:
            raise Rejected(
                "kafka_refuses",
                "Intake's user may not make topics, users and rights; see docs/topics.md.",
                "url",
            ) from None
        except errors.KafkaError as error:
            raise ConnectionError(type(error).__name__) from None


def _require_guarded(admin: KafkaAdminClient) -> None:
    """Raises SecurityDisabledError without an authorizer, Rejected where it lets everybody in."""
    admin.describe_acls(_rights_of("User:nobody"))
    brokers = [str(one["broker_id"]) for one in admin.describe_cluster()["brokers"]]
    asked = [ConfigResource(ConfigResourceType.BROKER, one, {OPEN_TO_ALL: None}) for one in brokers]
    known = admin.describe_configs(asked, config_filter="all")["broker"]
    if any(known[one].get(OPEN_TO_ALL, {}).get("value") == "true" for one in brokers):
        raise Rejected(
            "kafka_guards_nothing",
            f"Kafka lets everybody read a topic that has no rules: take away {OPEN_TO_ALL}.",
            "url",
        )


def _make_topic(admin: KafkaAdminClient, name: str, keep_days: int) -> None:
    """One partition, so that its numbers stand in order; a segment a day, so that old ones go."""
    kept = {
        "cleanup.policy": "delete",
        "retention.ms": str(keep_days * DAY_MILLISECONDS),
        "segment.ms": str(DAY_MILLISECONDS),
    }
    if name not in admin.list_topics():
        admin.create_topics({name: {"num_partitions": 1, "configs": kept}}, wait_for_metadata=True)


def _set_password(admin: KafkaAdminClient, name: str) -> str:
    password = secrets.token_urlsafe(32)
    _require_done(
        admin.alter_user_scram_credentials([UserScramCredentialUpsertion(name, SCRAM, password)])
    )
    return password


def _allow(admin: KafkaAdminClient, name: str) -> None:
    """To read its topic, and to keep its place in groups of its own. Reading is describing too."""
    places = (
        ResourcePattern(ResourceType.TOPIC, name),
        ResourcePattern(ResourceType.GROUP, name, ACLResourcePatternType.PREFIXED),
    )
    rights = [
        ACL(f"User:{name}", "*", ACLOperation.READ, ACLPermissionType.ALLOW, place)
        for place in places
    ]
    for failed in admin.create_acls(rights)["failed"]:
        raise failed


def _forbid(admin: KafkaAdminClient, name: str) -> None:
    for _, _, failed in admin.delete_acls([_rights_of(f"User:{name}")]):
        if failed is not errors.NoError:
            raise failed


def _rights_of(principal: str) -> ACLFilter:
    anywhere = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    return ACLFilter(principal, "*", ACLOperation.ANY, ACLPermissionType.ANY, anywhere)


def _require_done(answers: Mapping[str, str | None]) -> None:
    """Raises ClusterAuthorizationFailedError or KafkaError; the broker answers with words alone."""
    for trouble in filter(None, answers.values()):
        if "authoriz" in trouble.lower():
            raise errors.ClusterAuthorizationFailedError
        raise errors.KafkaError
