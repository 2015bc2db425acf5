"""Supports with their own consent, and the person's consents to tell someone something."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from handrail.events import care
from handrail.receipts import Rejected
from intake import commands
from intake.facts import BEFORE, OPEN, Consent, Matter, Support
from intake.rules.common import Decided, chart, require

KNOWN = BEFORE | OPEN | {"discharged"}
MOST_SUPPORTS, MOST_CONSENTS = 20, 100
# What never leaves to these, whatever a consent says.
_NEVER: dict[str, frozenset[str]] = {
    "payer": frozenset({"risk", "miss_reasons"}),
    "court": frozenset({"risk"}),
    "support": frozenset({"risk", "screens"}),
}


def name_support(matter: Matter, command: commands.NameSupport) -> Decided:
    """Another support, contacted only if they said so themselves."""
    require(matter.admission, KNOWN)
    supports = matter.admission.chart.supports
    if any(support.support_id == command.support_id for support in supports):
        raise Rejected("support_named", "That support is named already.", "support_id")
    if len(supports) >= MOST_SUPPORTS:
        raise Rejected("supports_full", "Remove a support first.", "support_id")
    facts = command.model_dump(include={"support_id", "relation", "may_contact"})
    after = (*supports, Support(**facts))
    event = care.SupportNamed(**matter.about(), **facts, contactable=_contactable(after))
    return chart(matter.admission, supports=after), (event,)


def change_support_consent(matter: Matter, command: commands.ChangeSupportConsent) -> Decided:
    """The support's own yes or no; a no is taken at any time."""
    support = _support(matter, command.support_id)
    changed = support.model_copy(update={"may_contact": command.may_contact})
    supports = tuple(changed if s is support else s for s in matter.admission.chart.supports)
    event = care.SupportConsentChanged(
        **matter.about(),
        support_id=command.support_id,
        may_contact=command.may_contact,
        contactable=_contactable(supports),
    )
    return chart(matter.admission, supports=supports), (event,)


def remove_support(matter: Matter, command: commands.RemoveSupport) -> Decided:
    """The person no longer wants this support involved."""
    support = _support(matter, command.support_id)
    supports = tuple(s for s in matter.admission.chart.supports if s is not support)
    event = care.SupportRemoved(
        **matter.about(), support_id=command.support_id, contactable=_contactable(supports)
    )
    return chart(matter.admission, supports=supports), (event,)


def grant(matter: Matter, command: commands.GrantConsent) -> Decided:
    """A consent. A court has one of its own, and some things are told to nobody."""
    require(matter.admission, KNOWN)
    if command.until_on and command.until_on < command.from_on:
        raise Rejected("ends_before_it_begins", "The last day comes before the first.", "until_on")
    if (command.recipient_class == "court") != (command.purpose == "legal"):
        raise Rejected("purpose_not_for_recipient", "A court has its own consent.", "purpose")
    if _NEVER.get(command.recipient_class, frozenset()) & set(command.data_classes):
        raise Rejected("never_told", "That is never told to such a recipient.", "data_classes")
    consents = matter.admission.chart.consents
    if any(consent.consent_id == command.consent_id for consent in consents):
        raise Rejected("consent_granted", "That consent is recorded already.", "consent_id")
    if len(consents) >= MOST_CONSENTS:
        raise Rejected("consents_full", "Too many consents for one person.", "consent_id")
    facts = command.model_dump(include=_GRANTED)
    event = care.ConsentGranted(**matter.about(), **facts)
    return chart(matter.admission, consents=(*consents, Consent(**facts))), (event,)


def revoke(matter: Matter, command: commands.RevokeConsent) -> Decided:
    """The end of a consent, whatever has become of the stay."""
    consents = matter.admission.chart.consents
    found = next((c for c in consents if c.consent_id == command.consent_id), None)
    if found is None:
        raise Rejected("consent_unknown", "No such consent is recorded.", "consent_id")
    if found.revoked_at:
        raise Rejected("consent_revoked", "That consent is revoked already.", "consent_id")
    changed = found.model_copy(update={"revoked_at": matter.recorded_at})
    kept = tuple(changed if consent is found else consent for consent in consents)
    event = care.ConsentRevoked(**matter.about(), consent_id=command.consent_id)
    return chart(matter.admission, consents=kept), (event,)


def in_force(consents: Iterable[Consent], day: date, at: datetime) -> list[Consent]:
    """The consents that hold at this moment of this local day."""
    return [
        consent
        for consent in consents
        if consent.from_on <= day
        and (consent.until_on is None or day <= consent.until_on)
        and (consent.revoked_at is None or at < consent.revoked_at)
    ]


def _contactable(supports: Iterable[Support]) -> int:
    return sum(support.may_contact for support in supports)


def _support(matter: Matter, support_id: UUID) -> Support:
    for support in matter.admission.chart.supports:
        if support.support_id == support_id:
            return support
    raise Rejected("support_unknown", "The person named no such support.", "support_id")


_GRANTED = {
    "consent_id",
    "recipient_class",
    "recipient",
    "purpose",
    "data_classes",
    "from_on",
    "until_on",
}
