-- The programme and track stand in the concern itself: the list asks nothing of closed stays.
alter table concerns add column program_id text, add column track text;
update concerns c set program_id = p.program_id, track = p.track
from people p where p.admission_id = c.admission_id;

create or replace function note_change() returns trigger language plpgsql as $$
begin
    new.changed_in := pg_current_xact_id()::text::bigint;
    if new.program_id is null then
        select p.program_id, p.track into new.program_id, new.track
        from people p where p.admission_id = new.admission_id;
    end if;
    return new;
end $$;

create function note_programme() returns trigger language plpgsql as $$
begin
    update concerns set program_id = new.program_id, track = new.track
    where admission_id = new.admission_id and closed_at is null;
    return new;
end $$;
create trigger people_note_programme after insert or update on people
    for each row execute function note_programme();

create index concerns_of_program on concerns (program_id, level, due_at) where closed_at is null;
