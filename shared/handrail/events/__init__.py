"""The events of all owners; import them from here."""

from handrail.events import aftercare, alerts, attendance, care, intake
from handrail.events.base import REGISTER, AdmissionEvent, DayClosed, Event, SiteEvent

__all__ = [
    "REGISTER",
    "AdmissionEvent",
    "DayClosed",
    "Event",
    "SiteEvent",
    "aftercare",
    "alerts",
    "attendance",
    "care",
    "intake",
]
