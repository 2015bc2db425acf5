"""An accounting of disclosures (42 CFR 2.25, 45 CFR 164.528): date, who, what, why; and as PDF."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts.page.texts import Say


@dataclass(frozen=True, slots=True)
class Told:
    """One disclosure; `by` is the consent, or the emergency, that allowed it."""

    at: str
    recipient: str
    what: str
    purpose: str
    by: str
    is_unconfirmed: bool


def told(row: Mapping[str, Any]) -> Told:
    """A row of the ledger, as it is accounted for."""
    house = row.get("affiliation") or row.get("recipient_class")
    recipient = " · ".join(str(part) for part in (row.get("recipient"), house) if part)
    consents = ", ".join(str(one["consent_id"])[:8] for one in row.get("consents", ()))
    classes = ", ".join(str(one).replace("_", " ") for one in row.get("classes", ()))
    kind = str(row.get("type", "")).partition(".")[2].rpartition(".")[0].replace("_", " ")
    return Told(
        at=str(row["at"])[:16].replace("T", " "),
        recipient=recipient,
        what=f"{kind} ({classes})" if kind else classes,
        purpose=str(row.get("purpose", "")),
        by=consents or str(row.get("nature", "")).replace("_", " "),
        is_unconfirmed=row["what"] == "unconfirmed",
    )


def as_pdf(rows: Sequence[Told], admission_id: str, say: Say) -> bytes:
    """A page to hand over. It names the admission, as the programme's papers do."""
    from fpdf import FPDF  # noqa: PLC0415  # a third of the service's start, seldom needed

    pdf = FPDF(format="letter")
    pdf.set_title(say("accounting"))
    pdf.set_auto_page_break(auto=True, margin=15)
    pdf.add_page()
    pdf.set_font("helvetica", "B", 16)
    pdf.cell(text=say("accounting"), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("helvetica", size=10)
    pdf.multi_cell(0, text=f"{say('accounting_of', of=admission_id)}\n{say('accounting_why')}\n")
    names = ("told_at", "told_to", "told_what", "told_for", "told_by")
    with pdf.table(col_widths=(18, 25, 30, 14, 18), first_row_as_headings=True) as table:
        table.row([say(name) for name in names])
        for one in rows:
            at = f"{one.at} UTC" + (f" ({say('unconfirmed')})" if one.is_unconfirmed else "")
            cells = (at, one.recipient, one.what, one.purpose, one.by)
            table.row([_plain(cell) for cell in cells])
    if not rows:
        pdf.multi_cell(0, text=say("nothing_told"))
    return bytes(pdf.output())


def _plain(words: str) -> str:
    """What the built-in fonts can write."""
    return words.encode("latin-1", "replace").decode("latin-1")
