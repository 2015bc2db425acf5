"""The texts of the privacy officer's pages, in English and Spanish."""

PRIVACY: dict[str, tuple[str, str]] = {
    "privacy": ("Privacy", "Privacidad"),
    "emergencies": ("Told in an emergency", "Comunicado en una emergencia"),
    "emergencies_why": (
        "Somebody broke the glass (42 CFR 2.51). Look at each the same day.",
        "Alguien rompió el cristal (42 CFR 2.51). Revise cada caso el mismo día.",
    ),
    "emergencies_unknown": ("Intake does not answer now.", "Admisiones no responde ahora."),
    "no_emergencies": ("Nobody has broken the glass.", "Nadie ha roto el cristal."),
    "review": ("Review", "Revisar"),
    "reviewed": ("Reviewed", "Revisado"),
    "justified": ("justified", "justificado"),
    "not_justified": ("not justified", "no justificado"),
    "is_over": ("over", "terminado"),
    "until": ("until {at}", "hasta {at}"),
    "told_nature": ("Emergency", "Emergencia"),
    "told_discloser": ("Told by", "Comunicado por"),
    "accounting": ("Accounting of disclosures", "Registro de divulgaciones"),
    "accounting_of": ("Admission {of}", "Admisión {of}"),
    "accounting_why": (
        "To whom, when, what and why: six years (42 CFR 2.25, 45 CFR 164.528).",
        "A quién, cuándo, qué y por qué: seis años (42 CFR 2.25, 45 CFR 164.528).",
    ),
    "accounting_as_pdf": ("As PDF", "En PDF"),
    "told_at": ("When", "Cuándo"),
    "told_to": ("To whom", "A quién"),
    "told_what": ("What", "Qué"),
    "told_for": ("For", "Para"),
    "told_by": ("By consent or emergency", "Por consentimiento o emergencia"),
    "unconfirmed": ("perhaps read", "quizá leído"),
    "nothing_told": ("Nothing was told of this person.", "No se comunicó nada de esta persona."),
}
