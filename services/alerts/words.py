"""The words of a notice: neutral, so that whoever sees the screen learns nothing of anybody."""

from email.message import EmailMessage
from email.utils import format_datetime

import orjson

from alerts.notices import Notice

_SUBJECTS = {
    "raised": "Something is waiting for you",
    "escalated": "Something is still waiting",
    "withdrawn": "Nothing is needed any more",
    "digest": "What is waiting today",
}
_SENTENCES = {
    "raised": "Something new is waiting for you.",
    "escalated": "Something was not taken up in time and is now with you.",
    "withdrawn": "Something you were told of has been taken back. You need not do anything.",
    "digest": "This is what is waiting:",
}
URGENT = "Please look now"


def body_of(notice: Notice, counts: dict[str, int] | None) -> bytes:
    """A webhook's body. `reference` is the task's random identifier; `key` drops repeats."""
    data: dict[str, object] = {
        "key": notice.notice_id,
        "reference": notice.concern_id,
        "urgent": notice.urgent,
        "due_at": notice.due_at,
    }
    if counts is not None:
        data = {"key": notice.notice_id, "waiting": counts}
    event = {"type": f"task.{notice.change}", "timestamp": notice.created_at, "data": data}
    return orjson.dumps(event, default=str, option=orjson.OPT_UTC_Z)


def mail_of(
    notice: Notice, counts: dict[str, int] | None, *, sender: str, page: str | None
) -> EmailMessage:
    """A mail; its Message-ID drops repeats."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, notice.address
    mail["Subject"] = URGENT if notice.urgent else _SUBJECTS[notice.change]
    mail["Date"] = format_datetime(notice.created_at)
    mail["Message-ID"] = f"<{notice.notice_id}@handrail.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    lines = [_SENTENCES[notice.change]]
    if counts is not None:
        lines += [f"{name}: {count}" for name, count in counts.items()]
    if notice.due_at is not None:
        lines.append(f"It is due by {notice.due_at:%Y-%m-%d %H:%M} UTC.")
    lines.append(f"Sign in to see it: {page}" if page else "Sign in to see it.")
    lines.append(f"Reference {notice.notice_id}.")
    mail.set_content("\n".join(lines) + "\n")
    return mail
