"""The texts of the quality board, in English and Spanish."""

TEAM: dict[str, tuple[str, str]] = {
    "quality": ("Quality board", "Tablero de calidad"),
    "to_quality": ("Quality board: what the alerts are worth", "Tablero de calidad de las alertas"),
    "quality_span": (
        "{site}, {since} to {through}: days that are over.",
        "{site}, del {since} al {through}: días ya cerrados.",
    ),
    "no_quality": (
        "There is no site whose programmes you may all see, or none with a day that is over.",
        "No hay una sede cuyos programas pueda ver todos, o ninguna con un día cerrado.",
    ),
    "burden": ("Alerts per 100 patient-weeks", "Alertas por 100 semanas-paciente"),
    "burden_words": (
        "{n} against a budget of {budget}: {verdict}",
        "{n} con un presupuesto de {budget}: {verdict}",
    ),
    "within": ("✓ within", "✓ dentro"),
    "beyond": ("! above", "! por encima"),
    "burden_chart": (
        "Alerts per 100 patient-weeks, week by week; the dashed line is the budget.",
        "Alertas por 100 semanas-paciente, por semana; la línea discontinua es el presupuesto.",
    ),
    "week": ("Week of", "Semana del"),
    "each_week": ("Each week", "Cada semana"),
    "per_rule": ("Each rule", "Cada regla"),
    "rule": ("Rule", "Regla"),
    "pushed": ("Alerts", "Alertas"),
    "precision": ("Precision", "Precisión"),
    "precision_words": ("{n} ({low} to {high}), of {of}", "{n} ({low} a {high}), de {of}"),
    "not_known_yet": ("not known yet", "aún no se sabe"),
    "is_safety": ("safety is no forecast", "seguridad no es pronóstico"),
    "first_attempt": ("First attempt after", "Primer intento tras"),
    "in_short": ("{n} min", "{n} min"),
    "in_hours": ("{n} h", "{n} h"),
    "returns": ("Came back", "Regresaron"),
    "n_of": ("{n} of {of}", "{n} de {of}"),
    "precision_hint": (
        (
            "Precision: of the alerts whose 28 days are over, how many were followed by no "
            "session. The line is the 95 % interval."
        ),
        (
            "Precisión: de las alertas con 28 días cumplidos, cuántas sin sesión después. "
            "La línea es el intervalo del 95 %."
        ),
    ),
    "calibration": ("Does the risk tell the truth", "¿Dice la verdad el riesgo?"),
    "foretold": ("Foretold", "Pronosticado"),
    "found_so": ("Found", "Hallado"),
    "month_from": ("28 days from", "28 días desde"),
    "is_off": ("! off", "! se desvía"),
    "drifted": (
        "! Two months in a row are off: the table needs a look.",
        "! Dos meses seguidos se desvían: hay que revisar la tabla.",
    ),
    "single_miss": ("a miss", "una falta"),
    "plan_review_overdue": ("plan review overdue", "revisión del plan atrasada"),
    "policy_not_acknowledged": (
        "policy not acknowledged",
        "norma de asistencia sin confirmar",
    ),
    "eligibility_not_assessed": ("eligibility not assessed", "idoneidad sin evaluar"),
    "form_overdue": ("form overdue", "formulario atrasado"),
    "review_and_form_overdue": ("review and form overdue", "revisión y formulario atrasados"),
    "second_miss": ("a second miss", "una segunda falta"),
    "early_miss": ("an early miss", "una falta temprana"),
    "misses_in_a_row": ("misses in a row", "faltas seguidas"),
    "misses_within_a_week": ("misses within a week", "faltas en una semana"),
    "miss_with_safety_flag": ("a miss with a safety flag", "falta con alerta de seguridad"),
    "safety_flag": ("a safety flag", "alerta de seguridad"),
    "no_contact": ("no contact", "sin contacto"),
    "no_first_session": ("no first session", "sin primera sesión"),
    "no_session_after_step": ("no session after a step", "sin sesión tras un cambio"),
    "first_visit_missed": ("first visit missed", "primera visita perdida"),
    "dose_below_half": ("below half the dose", "menos de media dosis"),
    "dose_below_quarter": ("below a quarter of the dose", "menos de un cuarto de dosis"),
    "risk_high": ("high risk", "riesgo alto"),
    "risk_elevated": ("elevated risk", "riesgo elevado"),
}
