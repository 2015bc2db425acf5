"""Appointments and Encounters of other systems: seats booked, moved, called off, kept and missed."""

from attendance.sources.asking import Intake
from attendance.sources.fhir import appointment, encounter, said
from handrail.fhir.dialect import Part


def parts(intake: Intake) -> dict[str, Part]:
    """What attendance does with each kind; an Encounter may need its Appointment."""
    return {
        "Appointment": Part(
            appointment.names, appointment.apply, appointment.shown, said.asking(intake)
        ),
        "Encounter": Part(encounter.names, encounter.apply, encounter.shown, said.asking(intake)),
    }
