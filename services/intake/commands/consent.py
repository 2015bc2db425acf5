"""Supports with their own consent, and the person's consents to tell someone something."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from handrail.events.base import Code
from handrail.events.care import DataClass, Purpose, RecipientClass, Relation, Signer
from handrail.receipts import Day
from intake.commands.stay import AdmissionCommand


class NameSupport(AdmissionCommand):
    """Someone who supports the person. A name or number is put as a contact."""

    do: Literal["name_support"] = "name_support"
    support_id: UUID = Field(description="Random, of the sender.")
    relation: Relation
    may_contact: bool = Field(description="The support's own consent to be contacted.")


class ChangeSupportConsent(AdmissionCommand):
    """The support gives or takes back the consent to be contacted."""

    do: Literal["change_support_consent"] = "change_support_consent"
    support_id: UUID
    may_contact: bool


class RemoveSupport(AdmissionCommand):
    """The person no longer wants this support involved."""

    do: Literal["remove_support"] = "remove_support"
    support_id: UUID


class GrantConsent(AdmissionCommand):
    """What may be told to whom, for what, and until when."""

    do: Literal["grant_consent"] = "grant_consent"
    consent_id: UUID = Field(description="Random, of the sender.")
    recipient_class: RecipientClass
    recipient: Code
    purpose: Purpose
    data_classes: Annotated[tuple[DataClass, ...], Field(min_length=1, max_length=8)]
    from_on: Day
    until_on: Day | None = Field(default=None, description="Last day; empty: until revoked.")
    given_by: Annotated[tuple[Signer, ...], Field(min_length=1, max_length=2)] = ("person",)


class NarrowConsent(AdmissionCommand):
    """Less may be told from now on, or for a shorter time. More needs another consent."""

    do: Literal["narrow_consent"] = "narrow_consent"
    consent_id: UUID
    data_classes: Annotated[tuple[DataClass, ...], Field(min_length=1, max_length=8)] | None = (
        Field(default=None, description="All that may still be told; empty: as before.")
    )
    until_on: Day | None = Field(default=None, description="An earlier last day.")


class RevokeConsent(AdmissionCommand):
    """From now on nothing more is told under this consent."""

    do: Literal["revoke_consent"] = "revoke_consent"
    consent_id: UUID
