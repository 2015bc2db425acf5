"""A person recorded twice, and when it was not one person after all."""

from dataclasses import replace
from datetime import date

from handrail.events import intake as events
from handrail.receipts import Rejected
from intake.facts import Matter
from intake.rules.common import Decided


def merge(survivor: Matter, duplicate: Matter, last_seen_on: date | None) -> tuple[Decided, ...]:
    """The duplicate is closed, with what it was kept; both streams say so."""
    kept, closed = survivor.admission, duplicate.admission
    if kept.admission_id == closed.admission_id:
        raise Rejected("same_admission", "Name two admissions.", "duplicate_id")
    for admission, field in ((kept, "admission_id"), (closed, "duplicate_id")):
        if admission.status == "merged":
            raise Rejected("merged_already", "It is merged into another one.", field)
    pair = {"survivor_id": kept.admission_id, "duplicate_id": closed.admission_id}
    after = replace(
        closed, status="merged", status_before=closed.status, merged_into=kept.admission_id
    )
    return tuple(
        (admission, (events.AdmissionsMerged(**matter.about(), **pair, last_seen_on=last_seen_on),))
        for admission, matter in ((after, duplicate), (kept, survivor))
    )


def unmerge(survivor: Matter, duplicate: Matter) -> tuple[Decided, ...]:
    """The duplicate is what it was before; both streams say so."""
    kept, closed = survivor.admission, duplicate.admission
    if closed.merged_into != kept.admission_id or closed.status_before is None:
        raise Rejected("not_merged", "It is not merged into that admission.", "duplicate_id")
    after = replace(closed, status=closed.status_before, status_before=None, merged_into=None)
    about = {
        "survivor_id": kept.admission_id,
        "duplicate_id": closed.admission_id,
        "status": after.status,
        "reason": after.hold_reason or after.ended_for,
        "ended_on": after.ended_on,
    }
    return tuple(
        (admission, (events.AdmissionsUnmerged(**matter.about(), **about),))
        for admission, matter in ((after, duplicate), (kept, survivor))
    )
