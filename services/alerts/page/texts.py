"""Every text of the page, in English and Spanish; a large page's own lie beside this."""

import re
from collections.abc import Callable
from typing import TypeAlias

from alerts.page.texts_of_machine import MACHINE
from alerts.page.texts_of_person import PERSON
from alerts.page.texts_of_privacy import PRIVACY
from alerts.page.texts_of_reports import REPORTS
from alerts.page.texts_of_roster import ROSTER
from alerts.page.texts_of_team import TEAM

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
    "step_call_again": ("call again", "llamar otra vez"),
    "step_try_again": ("try again", "intentar otra vez"),
    "step_try_another_channel": ("try another channel", "probar otro medio"),
    "step_verify_return": ("see whether they come back", "comprobar si regresa"),
    "step_ask_about_release": ("ask when they come out", "preguntar cuándo sale"),
    "step_review": ("review with the supervisor", "revisar con supervisión"),
    "step_offer_transfer": ("offer a transfer", "ofrecer un traslado"),
    "step_find_another_way": ("find another way to reach them", "buscar otra vía de contacto"),
    "step_ask_support_person": ("ask the support person", "preguntar a la persona de apoyo"),
    "step_send_letter": ("send a letter", "enviar una carta"),
    "step_none": ("nothing more is due", "nada más pendiente"),
    "paused": ("paused: {reason}", "en pausa: {reason}"),
    "hospital": ("hospital", "hospital"),
    "jail": ("jail", "cárcel"),
    "leave": ("leave", "permiso"),
    "closed_as": ("closed: {ending}", "cerrado: {ending}"),
    "returned": ("returned", "regresó"),
    "transferred_and_seen": ("seen at the next place", "atendido en el siguiente lugar"),
    "declined_documented": ("declined, documented", "rechazó, documentado"),
    "exhausted": ("all agreed attempts made", "todos los intentos hechos"),
    "discharged": ("discharged", "alta"),
    "done": ("what was overdue has been done", "se hizo lo que estaba atrasado"),
    "withdrawn": ("taken back after a correction", "retirado tras una corrección"),
    "moved_over": (
        "goes on under the person's other record",
        "sigue en el otro expediente de la persona",
    ),
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
    "phase_admitted": ("in care", "en atención"),
    "phase_discharged": ("discharged", "alta"),
    "phase_lost": ("left before starting", "se fue antes de empezar"),
    "phase_referred": ("referred", "derivado"),
    "no_concern": ("There is no concern about this person.", "No hay ningún caso abierto."),
    "record_outreach": ("Record an outreach", "Registrar un contacto"),
    "by_channel": ("How", "Cómo"),
    "what_came": ("What came of it", "Resultado"),
    "other_outcomes": ("Other outcomes", "Otros resultados"),
    "phone": ("phone", "teléfono"),
    "text": ("text", "mensaje"),
    "in_person": ("in person", "en persona"),
    "video": ("video", "vídeo"),
    "letter": ("letter", "carta"),
    "email": ("e-mail", "correo"),
    "no_answer": ("No answer", "No contestó"),
    "left_neutral_message": ("Left a neutral message", "Mensaje neutro"),
    "reached_returning": ("Reached: is coming back", "Contactado: vuelve"),
    "reached_undecided": ("Reached: undecided", "Contactado: indeciso"),
    "reached_declined": ("Reached: declined", "Contactado: rechaza"),
    "support_person_reached": ("Support person reached", "Persona de apoyo contactada"),
    "bad_number": ("Wrong number", "Número erróneo"),
    "found_in_hospital": ("In hospital", "En el hospital"),
    "found_in_jail": ("In jail", "En la cárcel"),
    "moved": ("Moved away", "Se mudó"),
    "died": ("Died", "Falleció"),
    "support": ("support person", "persona de apoyo"),
    "acknowledge": ("Take it on", "Aceptar"),
    "take_myself": ("Assign to me", "Asignármelo"),
    "assign": ("Hand over", "Pasar a otro"),
    "me": ("me", "yo"),
    "to_role": ("To", "A"),
    "snooze": ("Put off", "Aplazar"),
    "why": ("Why", "Motivo"),
    "how_long": ("For how long", "Por cuánto tiempo"),
    "hours": ("{n} hours", "{n} horas"),
    "person_asked_for_time": ("asked for time", "pidió tiempo"),
    "next_session_agreed": ("next session agreed", "próxima sesión acordada"),
    "awaiting_answer": ("waiting for an answer", "en espera de respuesta"),
    "team_decision": ("the team decided", "decisión del equipo"),
    "resolve": ("Close", "Cerrar"),
    "resolve_words": (
        (
            "A concern closes by itself when the person returns. By hand it takes evidence: "
            "a recorded decline, or all agreed attempts."
        ),
        (
            "El caso se cierra solo cuando la persona regresa. A mano hace falta evidencia: "
            "un rechazo registrado, o todos los intentos acordados."
        ),
    ),
    "ending": ("Because", "Porque"),
    "undo_outreach": ("Take an outreach back", "Deshacer un contacto"),
    "undo": ("Undo", "Deshacer"),
    "taken_back": ("taken back", "deshecho"),
    "tried": ("What was tried", "Intentos"),
    "nothing_tried": ("Nothing yet.", "Nada todavía."),
    "attendance": ("Attendance, and minutes received of those planned", "Asistencia y minutos"),
    "week_of": ("Week of", "Semana del"),
    "day_0": ("Mon", "Lun"),
    "day_1": ("Tue", "Mar"),
    "day_2": ("Wed", "Mié"),
    "day_3": ("Thu", "Jue"),
    "day_4": ("Fri", "Vie"),
    "day_5": ("Sat", "Sáb"),
    "day_6": ("Sun", "Dom"),
    "dose": ("Received / planned", "Recibido / previsto"),
    "seat_attended": ("attended", "asistió"),
    "seat_late": ("attended, late", "asistió tarde"),
    "seat_made_up": ("made up", "recuperada"),
    "seat_missed": ("missed", "faltó"),
    "seat_late_cancellation": ("cancelled late", "canceló tarde"),
    "seat_excused": ("excused", "justificada"),
    "seat_unheld": ("not held", "no se celebró"),
    "group": ("group", "grupo"),
    "individual": ("individual", "individual"),
    "family": ("family", "familia"),
    "workshop": ("workshop", "taller"),
    "medication": ("medication", "medicación"),
    "minutes": ("{n} minutes", "{n} minutos"),
    "minutes_late": ("{n} minutes late", "{n} minutos tarde"),
    "in_minutes": ("Numbers are minutes.", "Los números son minutos."),
    "risk": ("Risk", "Riesgo"),
    "risk_words": (
        "The chance of no session in the next 28 days is {p28}; in the next 14 days {p14}.",
        "Probabilidad de no acudir en los próximos 28 días: {p28}; en 14 días: {p14}.",
    ),
    "reasons_sum": ("The reasons add up to the score", "Las razones suman la puntuación"),
    "score": ("Score", "Puntuación"),
    "lower": ("What would lower it:", "Qué lo bajaría:"),
    "lower_words": (
        "being seen today, from {now} to {then}.",
        "acudir hoy, de {now} a {then}.",
    ),
    "risk_chart": (
        "The risk at each day's end; the dashed lines are the thresholds.",
        "Riesgo al final de cada día; las líneas discontinuas son los umbrales.",
    ),
    "each_day": ("Each day", "Cada día"),
    "day": ("Day", "Día"),
    "table_version": ("Points table {version}", "Tabla de puntos {version}"),
    "more": ("Before, and elsewhere", "Antes y en otros lugares"),
    "visit_missed": (
        "The first aftercare visit was not kept.",
        "No acudió a la primera visita posterior.",
    ),
    "traces": ("Traces for operators", "Trazas para operación"),
    "trace": ("Trace", "Traza"),
    "done_acknowledge": ("Taken on.", "Aceptado."),
    "done_assign": ("Handed over.", "Asignado."),
    "done_snooze": ("Put off.", "Aplazado."),
    "done_record_outreach": (
        "Recorded. A mistake can be undone below.",
        "Registrado. Un error se puede deshacer abajo.",
    ),
    "done_undo_outreach": ("Taken back.", "Deshecho."),
    "done_resolve": ("Closed.", "Cerrado."),
    "changed_meanwhile": (
        "Somebody changed this meanwhile",
        "Alguien lo cambió mientras tanto",
    ),
    "changed_words": (
        "Nothing of yours was written yet, and nothing is lost. This is how it stands now:",
        "Lo suyo aún no se ha guardado y nada se perdió. Así está ahora:",
    ),
    "you_asked": ("You wanted:", "Usted quería:"),
    "still_do": ("Do it still", "Hacerlo igualmente"),
    "leave_it": ("Leave it", "Dejarlo"),
    "no_concern_closed": ("This concern is closed already.", "Este caso ya está cerrado."),
    "no_concern_unknown": (
        "There is nothing here that you may see.",
        "No hay nada aquí que pueda ver.",
    ),
    "no_attempts_missing": (
        "Not yet: the agreed attempts, on several days and by two channels, are not all recorded.",
        "Aún no: faltan intentos acordados, en varios días y por dos medios.",
    ),
    "no_no_decline_recorded": (
        "Record the outreach in which they declined first.",
        "Registre primero el contacto en que rechazó.",
    ),
    "no_support_not_consented": (
        "No consent to speak with a support person is on file.",
        "No hay consentimiento para hablar con una persona de apoyo.",
    ),
    "no_snooze_out_of_range": (
        "That is too long for this level.",
        "Es demasiado tiempo para este nivel.",
    ),
    "no_site_on_replay_clock": (
        "This site plays a recorded history; it has no deadlines to put off.",
        "Esta sede reproduce un historial; no hay plazos que aplazar.",
    ),
    "no_safety_not_snoozed": (
        "A safety concern cannot be put off.",
        "Un caso de seguridad no se puede aplazar.",
    ),
    "no_outreach_unknown": ("That was taken back already.", "Eso ya se había deshecho."),
    "no_field_unknown": (
        "The form could not be used. Go back and try again.",
        "El formulario no se pudo usar. Vuelva e inténtelo de nuevo.",
    ),
    "load": ("Who carries what", "Quién lleva qué"),
    "who": ("Who", "Quién"),
    "open": ("Open", "Abiertos"),
    "urgent": ("Safety or high", "Seguridad o alto"),
    "waiting": ("Not taken on", "Sin aceptar"),
    "late": ("Overdue", "Vencidos"),
    "put_off": ("Put off", "Aplazados"),
    "nobody_yet": ("nobody yet", "nadie aún"),
    "what_is_late": ("What is overdue", "Lo vencido"),
    "nothing_late": ("Nothing is overdue.", "Nada está vencido."),
    "weeks": ("Alerts by week", "Alertas por semana"),
    "raised": ("Raised", "Emitidas"),
    "withdrawn_short": ("Taken back", "Retiradas"),
    "tried_short": ("Acted on", "Atendidas"),
    "first_hours": ("Hours to first attempt (median)", "Horas al primer intento (mediana)"),
    "came_back": ("Came back", "Regresaron"),
    "no_weeks": ("No alert in the last eight weeks.", "Ninguna alerta en ocho semanas."),
    "ok": ("well", "bien"),
    "backlog": ("Waiting to be sent", "Por enviar"),
    "oldest": ("oldest {n} s", "más antiguo {n} s"),
    "lag": ("Not read yet", "Sin leer"),
    "last_heard": ("Last heard", "Último recibido"),
    "ago": ("{n} s ago", "hace {n} s"),
    "up": ("Up for", "En marcha desde hace"),
    "seconds": ("{n} s", "{n} s"),
    "sites": ("Days closed, by site", "Días cerrados, por sede"),
    "closed_through": ("Closed through", "Cerrado hasta"),
    "letters": ("Dead letters, without content", "Mensajes apartados, sin contenido"),
    "no_letters": ("None: everything could be applied.", "Ninguno: todo se pudo aplicar."),
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
    **MACHINE,
    **PERSON,
    **PRIVACY,
    **ROSTER,
    **TEAM,
    **REPORTS,
}

# The rules' own words, in Spanish. A phrase that is not here stays as it is.
_SPANISH: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (
            r"a safety flag is open, from the person's other record",
            "hay una alerta de seguridad abierta, del otro expediente de la persona",
        ),
        (r"a safety flag is open", "hay una alerta de seguridad abierta"),
        (r"missed a session while a safety flag is open", "faltó con alerta de seguridad abierta"),
        (
            r"the plan's review is (\d+) days overdue",
            r"la revisión del plan lleva \1 días de atraso",
        ),
        (r"a form is (\d+) days overdue", r"un formulario lleva \1 días de atraso"),
        (
            r"the plan's review and a form are overdue",
            "la revisión del plan y un formulario están atrasados",
        ),
        (
            r"the attendance policy's acknowledgement is (\d+) days overdue",
            r"la confirmación de la norma de asistencia lleva \1 días de atraso",
        ),
        (
            r"the assessment of eligibility is (\d+) days overdue",
            r"la evaluación de idoneidad lleva \1 días de atraso",
        ),
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
        (r"recent misses weigh ([\d.]+) of ([\d.]+)", r"las faltas recientes pesan \1 de \2"),
        (r"(\d+) visits? in the last six weeks", r"\1 visitas en las últimas seis semanas"),
        (r"(\d+) sessions? planned so far", r"\1 sesiones previstas hasta ahora"),
        (r"drugs found in the last screen", "drogas en la última prueba"),
        (r"no drugs found in the last screen", "sin drogas en la última prueba"),
        (
            r"(\d+) drugs? other than opioids in the last screen",
            r"\1 drogas no opioides en la última prueba",
        ),
        (r"opioids in (\d+) of (\d+) drug screens?", r"opioides en \1 de \2 pruebas"),
        (
            r"no drug screen yet in the first sessions",
            "aún sin prueba de drogas en las primeras sesiones",
        ),
        (r"no change of the level of care so far", "sin cambio de nivel de atención hasta ahora"),
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
