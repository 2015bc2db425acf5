"""One concern in one sentence: why, since when, by when, who has it, and what to do next."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from alerts.page.texts import Say, phrase, sentence

MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
}


def line(row: dict[str, Any], say: Say, language: str) -> dict[str, Any]:
    """What a template or the script needs to show a concern as one line of the list."""
    why = [phrase(reason, language) for reason in row["reasons"]] or [say(row["kind"])]
    return {
        "id": str(row["concern_id"]),
        "admission_id": str(row["admission_id"]),
        "person": str(row["admission_id"])[:8],
        "level": row["level"],
        "tag": say(f"level_{row['level']}"),
        "why": sentence("; ".join(why)),
        "facts": _facts(row, say, language),
        "step": "" if row["closed_at"] else _step(row, say),
        "overdue": row["overdue"] and not row["closed_at"],
        "open": row["closed_at"] is None,
        "place": " · ".join(str(p) for p in (row["program_id"], row["track"], row["site_id"]) if p),
    }


def _facts(row: dict[str, Any], say: Say, language: str) -> str:
    facts = [say("since", day=day_words(row["opened_on"], language))]
    if row["closed_at"]:
        return ", ".join([*facts, say("closed_as", ending=say(row["ending"] or "withdrawn"))])
    zone = row["time_zone"]
    if row["due_at"]:
        key = "overdue" if row["overdue"] else "by"
        facts.append(say(key, time=moment_words(row["due_at"], zone, say, language)))
    facts.append(say("for_role", role=say(row["assigned_role"] or row["owner_role"])))
    if row["assigned_to"]:
        facts.append(say("assigned_to", who=row["assigned_to"]))
    facts.append(say("taken_on" if row["acknowledged_at"] else "not_taken_on"))
    if row["paused"]:
        facts.append(say("paused", reason=say(row["paused"])))
    if row["snoozed_until"] and row["snoozed_until"] > datetime.now(UTC):
        until = moment_words(row["snoozed_until"], zone, say, language)
        facts.append(say("snoozed", time=until))
    if row["attempts"]:
        one = row["attempts"] == 1
        facts.append(say("attempt_one") if one else say("attempts", n=row["attempts"]))
    return ", ".join(facts)


def _step(row: dict[str, Any], say: Say) -> str:
    return say("next", step=say(f"step_{row['next_step']}"))


def day_words(day: date, language: str) -> str:
    """A day as people write it."""
    month = MONTHS[language][day.month - 1]
    return f"{day.day} {month}"


def moment_words(at: datetime, zone: str, say: Say, language: str) -> str:
    """A moment in the site's local time; today's without the day."""
    local, now = at.astimezone(ZoneInfo(zone)), datetime.now(ZoneInfo(zone))
    clock = f"{local:%H:%M}"
    if local.date() == now.date():
        return f"{clock} ({say('today').lower()})"
    return f"{day_words(local.date(), language)} {clock}"
