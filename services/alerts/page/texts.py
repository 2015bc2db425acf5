"""Every text of the page, in English and Spanish."""

import re
from collections.abc import Callable
from typing import TypeAlias

Say: TypeAlias = Callable[..., str]
LANGUAGES = ("en", "es")

TEXTS: dict[str, tuple[str, str]] = {
    "skip": ("Skip to the list", "Ir a la lista"),
    "pages": ("Pages", "Páginas"),
    "today": ("Today", "Hoy"),
    "person": ("Person", "Persona"),
    "team": ("Team", "Equipo"),
    "operate": ("Operate", "Operación"),
    "sign_in": ("Sign in", "Iniciar sesión"),
    "sign_out": ("Sign out", "Cerrar sesión"),
    "lock": ("Lock", "Bloquear"),
    "other_language": ("Español", "English"),
    "signed_in_as": ("Signed in as {role}", "Sesión de {role}"),
    "counsellor": ("counsellor", "consejería"),
    "case_manager": ("case manager", "gestión de casos"),
    "supervisor": ("supervisor", "supervisión"),
    "medical_director": ("medical director", "dirección médica"),
    "operator": ("operator", "operación"),
    "privacy_officer": ("privacy officer", "privacidad"),
    "primary_clinician": ("counsellor", "consejería"),
    "on_call": ("on call", "guardia"),
    "list": ("whole team", "todo el equipo"),
    "level_0": ("Safety", "Seguridad"),
    "level_1": ("High", "Alto"),
    "level_2": ("Elevated", "Elevado"),
    "level_3": ("Watch", "Vigilancia"),
    "open_count": ("{n} open concerns", "{n} casos abiertos"),
    "open_one": ("1 open concern", "1 caso abierto"),
    "nobody": ("Nobody is waiting for a call.", "Nadie espera una llamada."),
    "person_at": ("Person {person}", "Persona {person}"),
    "since": ("since {day}", "desde {day}"),
    "by": ("by {time}", "antes de {time}"),
    "overdue": ("overdue since {time}", "vencido desde {time}"),
    "for_role": ("for {role}", "para {role}"),
    "taken_on": ("taken on", "aceptado"),
    "not_taken_on": ("not taken on yet", "aún sin aceptar"),
    "assigned_to": ("with {who}", "con {who}"),
    "snoozed": ("put off until {time}", "aplazado hasta {time}"),
    "attempt_one": ("1 attempt", "1 intento"),
    "attempts": ("{n} attempts", "{n} intentos"),
    "next": ("Next: {step}", "Siguiente: {step}"),
    "step_call": ("call", "llamar"),
    "step_other_channel": ("try another channel", "probar otro medio"),
    "step_wait": ("wait for the session, then look again", "esperar la sesión y revisar"),
    "step_plan": ("offer a smaller next step", "ofrecer un paso más pequeño"),
    "step_number": ("find a number that works", "buscar un número válido"),
    "step_support": ("see whether they come back", "ver si regresa"),
    "step_review": ("review with the supervisor", "revisar con supervisión"),
    "closed_as": ("closed: {ending}", "cerrado: {ending}"),
    "returned": ("returned", "regresó"),
    "transferred_and_seen": ("seen at the next place", "atendido en el siguiente lugar"),
    "declined_documented": ("declined, documented", "rechazó, documentado"),
    "exhausted": ("all agreed attempts made", "todos los intentos hechos"),
    "discharged": ("discharged", "alta"),
    "withdrawn": ("taken back after a correction", "retirado tras una corrección"),
    "filters": ("Filters", "Filtros"),
    "program": ("Programme", "Programa"),
    "track": ("Track", "Horario"),
    "site": ("Site", "Sede"),
    "level": ("Level", "Nivel"),
    "all": ("All", "Todos"),
    "up_to": ("up to {level}", "hasta {level}"),
    "mine": ("Only mine", "Solo míos"),
    "show": ("Show", "Mostrar"),
    "earlier": ("Previous", "Anterior"),
    "later": ("Next", "Siguiente"),
    "page_of": ("Page {n} of {of}", "Página {n} de {of}"),
    "new_one": ("1 new", "1 nuevo"),
    "new_many": ("{n} new", "{n} nuevos"),
    "show_in_list": ("Show in the list", "Mostrar en la lista"),
    "changed_now": ("Changed just now:", "Cambió ahora:"),
    "live": ("Live", "En vivo"),
    "not_live": ("Not live; reload to see news", "Sin conexión; recargue para ver novedades"),
    "signed_out": ("Signed out.", "Sesión cerrada."),
    "session_over": (
        "Your session is over. Nothing you had saved is lost.",
        "Su sesión terminó. Nada de lo guardado se perdió.",
    ),
    "welcome": (
        "For the care team of an intensive outpatient program.",
        "Para el equipo de un programa ambulatorio intensivo.",
    ),
    "signing_in": ("Signed in. Going on…", "Sesión iniciada. Continuando…"),
    "go_on": ("Go on", "Continuar"),
    "used_link": (
        "This link was used already, or is too old. Sign in again.",
        "Este enlace ya se usó o caducó. Inicie sesión de nuevo.",
    ),
    "no_role": (
        "The sign-in service named no role that this page knows. Ask your supervisor.",
        "El servicio de acceso no indicó un rol conocido. Pregunte a supervisión.",
    ),
    "not_allowed": (
        "Your role does not allow this, or the form was not from this page.",
        "Su rol no lo permite, o el formulario no es de esta página.",
    ),
    "not_found": (
        "There is nothing here that you may see.",
        "No hay nada aquí que pueda ver.",
    ),
    "back_to_list": ("Back to the list", "Volver a la lista"),
    "development_title": ("Development sign-in", "Acceso de desarrollo"),
    "development_words": (
        "This machine's own sign-in: no password. It answers on this machine only.",
        "Acceso propio de esta máquina: sin contraseña. Solo responde aquí.",
    ),
    "development_programs": (
        "Programmes (separated by spaces; empty for all)",
        "Programas (separados por espacios; vacío: todos)",
    ),
    "as_role": ("As {role}", "Como {role}"),
}

NEXT_STEP = {
    None: "step_call",
    "reached_returning": "step_wait",
    "reached_undecided": "step_plan",
    "reached_declined": "step_review",
    "left_neutral_message": "step_other_channel",
    "no_answer": "step_other_channel",
    "bad_number": "step_number",
    "support_person_reached": "step_support",
}

# The rules' own words, in Spanish. A phrase that is not here stays as it is.
_SPANISH: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"a safety flag is open", "hay una alerta de seguridad abierta"),
        (r"missed a session while a safety flag is open", "faltó con alerta de seguridad abierta"),
        (r"the first aftercare visit was not kept", "no acudió a la primera visita posterior"),
        (r"missed (\d+) sessions? in a row", r"faltó a \1 sesiones seguidas"),
        (r"missed (\d+) sessions within (\d+) days", r"faltó a \1 sesiones en \2 días"),
        (r"missed a session in the first (\d+) days", r"faltó en los primeros \1 días"),
        (r"missed a session", "faltó a una sesión"),
        (r"no first session (\d+) days after admission", r"sin primera sesión tras \1 días"),
        (r"no contact for (\d+) days", r"sin contacto desde hace \1 días"),
        (
            r"received (\d+) of (\d+) planned minutes in (\d+) days",
            r"recibió \1 de \2 minutos previstos en \3 días",
        ),
        (
            r"last seen (\d+) days? ago, with a session about every ([\d.]+) days?",
            r"visto por última vez hace \1 días, con sesión cada \2 días",
        ),
        (r"missed none of (\d+) earlier sessions?", r"no faltó a ninguna de \1 sesiones previas"),
        (r"missed (\d+) of (\d+) earlier sessions?", r"faltó a \1 de \2 sesiones previas"),
        (
            r"kept (\d+) sessions? since the last miss",
            r"acudió a \1 sesiones desde la última falta",
        ),
        (r"(\d+) days? in care", r"\1 días en atención"),
        (r"no drug screen on file", "sin pruebas de drogas registradas"),
        (
            r"opioids in (\d+) of the last (\d+) drug screens?",
            r"opioides en \1 de las últimas \2 pruebas",
        ),
        (r"(\d+) visits? since the last drug screen", r"\1 visitas desde la última prueba"),
        (
            r"longest recent time between visits (\d+) days?",
            r"mayor intervalo reciente entre visitas: \1 días",
        ),
        (r"a session about every ([\d.]+) days?", r"una sesión cada \1 días"),
    )
)
_RISK = re.compile(r"(\d+%) risk of no session in the next 28 days \((.*)\)")


def speaker(language: str) -> Say:
    """Says a text in this language, with its fields filled in."""
    place = LANGUAGES.index(language)

    def say(key: str, **fields: object) -> str:
        words = TEXTS.get(key)
        return words[place].format(**fields) if words else key.replace("_", " ")

    return say


def phrase(words: str, language: str) -> str:
    """A reason's words in this language."""
    if language == "en":
        return words
    if risk := _RISK.fullmatch(words):
        inner = "; ".join(phrase(part, language) for part in risk[2].split("; "))
        return f"riesgo del {risk[1]} de no acudir en los próximos 28 días ({inner})"
    for pattern, spanish in _SPANISH:
        if found := pattern.fullmatch(words):
            return found.expand(spanish)
    return words


def sentence(words: str) -> str:
    """With a capital at the beginning."""
    return words[:1].upper() + words[1:]
