"""ADT of another hospital: being there is a pause here. It is never told who is known."""

from handrail.desk import store as names
from intake import commands, store
from intake.adt.visits import person
from intake.telling import Case, open_of

# Admitted there, or a discharge from there taken back; and the other way round.
GOES_IN = frozenset({"A01", "A13"})
COMES_OUT = frozenset({"A03", "A11"})


async def take(case: Case) -> None:
    """Pause, or end the pause, of the person whom the hospital's number was entered for."""
    patient_id = await names.find(case.conn, person(case))
    subject = await open_of(case.conn, patient_id) if patient_id else None
    found = await store.one(case.conn, subject) if subject else None
    if found is None:
        return
    event = case.letter.message.event
    if event in GOES_IN and found.status == "admitted":
        await case.say(commands.PutOnHold, admission_id=found.admission_id, reason="hospital")
    elif event in COMES_OUT and found.hold_reason == "hospital":
        await case.say(commands.Resume, admission_id=found.admission_id)
