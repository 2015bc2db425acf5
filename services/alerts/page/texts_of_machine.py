"""The texts of the operator's page, in English and Spanish."""

MACHINE: dict[str, tuple[str, str]] = {
    "services": ("Services", "Servicios"),
    "service": ("Service", "Servicio"),
    "state": ("State", "Estado"),
    "away": ("does not answer", "no responde"),
    "stuck": ("stands still", "parado"),
    "letters_short": ("Dead letters", "Apartados"),
    "letters_hint": (
        "`./handrail dead-letters redrive SERVICE KEY` plays one key's back in order, once mended.",
        "`./handrail dead-letters redrive SERVICE KEY` los repite en orden, una vez reparado.",
    ),
    "notices": ("Notices", "Avisos"),
    "notices_waiting": ("waiting", "en espera"),
    "notices_retrying": ("tried again", "reintentos"),
    "notices_oldest_seconds": ("oldest (s)", "más antiguo (s)"),
    "notices_receivers": ("receivers", "receptores"),
    "notices_receivers_in_trouble": ("in trouble", "con problemas"),
    "notices_given_up": ("given up", "abandonados"),
    "silent": ("Feeds gone silent", "Fuentes en silencio"),
    "none_silent": (
        "None: every site that was asked for a roster has reported since.",
        "Ninguna: toda sede a la que se pidió asistencia ha informado después.",
    ),
    "silent_unknown": (
        "Attendance does not answer, so nobody can say.",
        "Asistencia no responde; no se puede saber.",
    ),
    "last_traces": ("Traces of the last alerts", "Trazas de las últimas alertas"),
    "no_traces": ("No alert has a trace yet.", "Ninguna alerta tiene traza aún."),
}
