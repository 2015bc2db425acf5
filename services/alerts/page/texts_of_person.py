"""Texts of one person's page that stand nowhere else, in English and Spanish."""

PERSON: dict[str, tuple[str, str]] = {
    "seat_moved": ("moved to another session", "pasó a otra sesión"),
    "seat_scheduled": ("planned, nothing recorded", "prevista, sin registrar"),
    "seats_from_events": (
        "Attendance does not answer: swapped and planned sessions are not shown.",
        "Asistencia no responde: no se muestran sesiones cambiadas ni previstas.",
    ),
    "ladder": ("The ladder, and what ends the concern", "La escala, y qué cierra el caso"),
    "closes_when": (
        "It closes by itself when the person is seen at a session on or after {day}.",
        "Se cierra solo cuando la persona acude a una sesión desde el {day}.",
    ),
    "closes_safety": (
        "A safety concern is closed by people only, not by a session.",
        "Un caso de seguridad solo lo cierran personas, no una sesión.",
    ),
    "tells": ("Tells", "Avisa a"),
    "first_try_within": ("First attempt within", "Primer intento en"),
    "then_to": ("Not done in time", "Si no se hace a tiempo"),
    "after_hours": ("{n} hours later", "{n} horas después"),
    "consents": ("Consents", "Consentimientos"),
    "consents_unknown": (
        "Intake does not answer: ask before telling anybody anything.",
        "Admisión no responde: pregunte antes de informar a nadie.",
    ),
    "no_supports": ("No support person is named.", "No hay persona de apoyo nombrada."),
    "no_consents": ("Nobody else may be told anything.", "No se puede informar a nadie más."),
    "may_contact": ("may be contacted", "se puede contactar"),
    "may_not_contact": ("may not be contacted", "no se puede contactar"),
    "partner": ("partner", "pareja"),
    "parent": ("parent", "madre o padre"),
    "child": ("child", "hija o hijo"),
    "sibling": ("sibling", "hermana o hermano"),
    "friend": ("friend", "amistad"),
    "sponsor": ("sponsor", "padrino"),
    "other": ("other", "otra"),
    "may_be_told": ("May be told", "Se puede informar a"),
    "until": ("until {day}", "hasta {day}"),
    "step_stepping_down": ("Stepping down", "Pasa a menos atención"),
    "step_first_visit_kept": ("First aftercare visit kept", "Acudió a la primera visita posterior"),
    "step_first_visit_missed": (
        "First aftercare visit missed",
        "No acudió a la primera visita posterior",
    ),
    "step_returned_to_care": ("Returned to care", "Volvió a la atención"),
    "step_stepped": ("Level of care", "Nivel de atención"),
}
