"""What is noted of a person outside sessions."""

from uuid import UUID

from attendance import commands, instruments, measures, rules
from attendance.batch import Batch
from handrail.receipts import Rejected


def note(
    batch: Batch, command: commands.RecordContact | commands.RecordScreen | commands.RecordMeasure
) -> UUID:
    """A contact, a screen or a score from elsewhere."""
    admission = batch.admission(command.admission_id)
    batch.events.append(rules.note(admission, command, batch.when(admission.site_id, command)))
    return admission.admission_id


def change_barrier(batch: Batch, command: commands.NoteBarrier | commands.LiftBarrier) -> UUID:
    """Something stands in the person's way, or does so no more."""
    admission = batch.admission(command.admission_id)
    when = batch.when(admission.site_id, command)
    place, is_open = (admission.admission_id, command.barrier), command.do == "note_barrier"
    if (place in batch.known.barriers) == is_open:
        code = "barrier_already_noted" if is_open else "barrier_not_noted"
        raise Rejected(code, "That is how it stands already.", "barrier")
    batch.known.barriers ^= {place}
    batch.barriers.append((*place, command.occurred_at, is_open))
    batch.events.append(rules.note(admission, command, when))
    return admission.admission_id


def answer(batch: Batch, command: commands.RecordAnswers) -> UUID:
    """A form, scored."""
    admission = batch.admission(command.admission_id)
    if not batch.is_sealing:
        raise Rejected("answers_not_taken", "No key is set here to seal them.", "answers")
    if admission.erased_at:
        raise Rejected("person_erased", "The personal fields were erased for good.", "admission_id")
    when = batch.when(admission.site_id, command)
    scores = instruments.score(command.instrument, command.answers)
    batch.events += rules.score(admission, scores, when)
    day = batch.known.sites[admission.site_id].day_of(command.occurred_at)
    at = (command.occurred_at, day)
    batch.answered.append(
        measures.measure(admission.admission_id, command.instrument, at, command.answers, scores)
    )
    return admission.admission_id
