-- Once a statement instead of once a person: a plan made while the table was small had every person
-- of a large batch look through all concerns.
drop trigger people_note_programme on people;
create or replace function note_programme() returns trigger language plpgsql as $$
begin
    update concerns c set program_id = n.program_id, track = n.track
    from told n
    where c.admission_id = n.admission_id and c.closed_at is null;
    return null;
end $$;
create trigger people_note_programme after insert on people
    referencing new table as told for each statement execute function note_programme();
create trigger people_note_new_programme after update on people
    referencing new table as told for each statement execute function note_programme();
