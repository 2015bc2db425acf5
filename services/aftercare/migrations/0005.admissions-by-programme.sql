-- The second lock behind the application's checks, as in alerts (`handrail/sight.py`): a connection
-- sees rows of the programmes it was told, and none where it was told nothing. A table a migration:
-- each waits for one table, and holds no other meanwhile.

-- Seven days for code from before, which says nothing.
insert into silence_allowed select now() + interval '7 days' where exists (select from admissions);

-- A duplicate's bare row is seen by all: by it `survivor_of` finds who the person is now, and only
-- where that one is decides what else is seen.
create policy by_programme on admissions using (
    (select all_shown())
    or merged_into is not null
    or program_id = any ((select programs_shown())::text[])
) with check (
    (select all_shown()) or program_id = any ((select programs_shown())::text[])
);
alter table admissions enable row level security;
alter table admissions force row level security;

-- The programme of whom an admission is now, for the guard and for whoever is told of that programme.
create function program_of(uuid) returns text stable language sql as
'select program_id from admissions where admission_id = survivor_of($1)';
