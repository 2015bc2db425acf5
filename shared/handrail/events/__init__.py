"""The events of all owners; import them from here."""

from handrail.events import aftercare, alerts, attendance, intake
from handrail.events.base import REGISTER, AdmissionEvent, DayClosed, Event

__all__ = [
    "REGISTER",
    "AdmissionEvent",
    "DayClosed",
    "Event",
    "aftercare",
    "alerts",
    "attendance",
    "intake",
]
