"""Supports with their own consent, and the person's consents to tell someone something."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from handrail.events import care
from handrail.receipts import Rejected
from intake import commands
from intake.facts import BEFORE, OPEN, Admission, Consent, Matter, Support
from intake.rules import disclosure
from intake.rules.common import Decided, chart, require

KNOWN = BEFORE | OPEN | {"discharged"}
MOST_SUPPORTS, MOST_CONSENTS = 20, 100


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
    if disclosure.TABLE.never(command.recipient_class) & set(command.data_classes):
        raise Rejected("never_told", "That is never told to such a recipient.", "data_classes")
    consents = matter.admission.chart.consents
    if any(consent.consent_id == command.consent_id for consent in consents):
        raise Rejected("consent_granted", "That consent is recorded already.", "consent_id")
    if len(consents) >= MOST_CONSENTS:
        raise Rejected("consents_full", "Too many consents for one person.", "consent_id")
    facts = command.model_dump(include=_GRANTED)
    event = care.ConsentGranted(**matter.about(), **facts)
    return chart(matter.admission, consents=(*consents, Consent(**facts))), (event,)


def narrow(matter: Matter, command: commands.NarrowConsent) -> Decided:
    """Less than before, and never more, whatever has become of the stay."""
    found = _unrevoked(matter, command.consent_id)
    classes = command.data_classes or found.data_classes
    if not set(classes) <= set(found.data_classes):
        raise Rejected("wider_than_before", "More needs another consent.", "data_classes")
    until_on = command.until_on or found.until_on
    if found.until_on and until_on and until_on > found.until_on:
        raise Rejected("wider_than_before", "A later end needs another consent.", "until_on")
    if until_on and until_on < found.from_on:
        raise Rejected("ends_before_it_begins", "The last day comes before the first.", "until_on")
    left = {"data_classes": classes, "until_on": until_on}
    event = care.ConsentNarrowed(**matter.about(), consent_id=command.consent_id, **left)
    return _changed(matter, found, left), (event,)


def revoke(matter: Matter, command: commands.RevokeConsent) -> Decided:
    """The end of a consent, whatever has become of the stay."""
    found = _unrevoked(matter, command.consent_id)
    event = care.ConsentRevoked(**matter.about(), consent_id=command.consent_id)
    return _changed(matter, found, {"revoked_at": matter.recorded_at}), (event,)


def _unrevoked(matter: Matter, consent_id: UUID) -> Consent:
    for consent in matter.admission.chart.consents:
        if consent.consent_id == consent_id:
            if consent.revoked_at:
                raise Rejected("consent_revoked", "That consent is revoked already.", "consent_id")
            return consent
    raise Rejected("consent_unknown", "No such consent is recorded.", "consent_id")


def _changed(matter: Matter, found: Consent, update: dict[str, Any]) -> Admission:
    changed = found.model_copy(update=update)
    consents = matter.admission.chart.consents
    kept = tuple(changed if consent is found else consent for consent in consents)
    return chart(matter.admission, consents=kept)


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
    "given_by",
}
