"""Referrals and episodes of other systems, written in FHIR."""

from handrail.desk.desk import Desk
from handrail.fhir import taking
from handrail.fhir.dialect import Fhir, Part
from handrail.service import Service
from intake.fhir_in import episode, referral


def install(service: Service, desk: Desk) -> frozenset[str]:
    """Have the desk take them; which kinds these are."""
    spoken = Fhir(desk, parts())
    taking.install(service.app, spoken)
    return frozenset(spoken.parts)


def parts() -> dict[str, Part]:
    """What intake does with each kind; an episode may go on from its referral."""
    return {
        "ServiceRequest": Part(referral.names, referral.apply, referral.shown, whom=referral.whom),
        "EpisodeOfCare": Part(episode.names, episode.apply, episode.shown, whom=episode.whom),
    }
