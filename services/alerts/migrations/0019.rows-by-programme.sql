-- The second lock behind the application's checks: a connection sees rows of the programmes it was
-- told (`handrail/sight.py`), and none where it was told nothing. Forced: the owner is who works here.
-- `(select …)` is asked once a statement, and where it says yes nothing is asked of a row.
-- COPY FROM knows no such policy, so `assessments` has none.

-- Seven days for code from before, which says nothing.
insert into silence_allowed select now() + interval '7 days' where exists (select from people);

-- What is told of a person is seen with them. Nearly every transaction begins at this table: so does
-- this one, and waits before it holds anything.
create policy with_person on admissions using (
    (select all_shown())
    or exists (select from people p where p.admission_id = admissions.admission_id)
);
alter table admissions enable row level security;
alter table admissions force row level security;

create policy by_programme on people using (
    (select all_shown()) or program_id = any ((select programs_shown())::text[])
);
alter table people enable row level security;
alter table people force row level security;

-- An open concern follows its person's programme by a trigger; a closed one is seen where it was
-- worked on and where the person is now.
create policy by_programme on concerns using (
    (select all_shown()) or program_id = any ((select programs_shown())::text[])
    or closed_at is not null
        and exists (select from people p where p.admission_id = concerns.admission_id)
);
alter table concerns enable row level security;
alter table concerns force row level security;

-- What hangs on a concern is seen with it.
create policy with_concern on alerts using (
    (select all_shown())
    or exists (select from concerns c where c.concern_id = alerts.concern_id)
);
alter table alerts enable row level security;
alter table alerts force row level security;

create policy with_concern on outreach using (
    (select all_shown())
    or exists (select from concerns c where c.concern_id = outreach.concern_id)
);
alter table outreach enable row level security;
alter table outreach force row level security;

create policy with_concern on outreach_undone using (
    (select all_shown())
    or exists (select from concerns c where c.concern_id = outreach_undone.concern_id)
);
alter table outreach_undone enable row level security;
alter table outreach_undone force row level security;

create policy with_concern on firings using (
    (select all_shown())
    or exists (select from concerns c where c.concern_id = firings.concern_id)
);
alter table firings enable row level security;
alter table firings force row level security;

create policy with_person on facts using (
    (select all_shown())
    or exists (select from people p where p.admission_id = facts.admission_id)
);
alter table facts enable row level security;
alter table facts force row level security;

create policy with_person on suppressions using (
    (select all_shown())
    or exists (select from people p where p.admission_id = suppressions.admission_id)
);
alter table suppressions enable row level security;
alter table suppressions force row level security;

create policy with_person on teams using (
    (select all_shown())
    or exists (select from people p where p.admission_id = teams.admission_id)
);
alter table teams enable row level security;
alter table teams force row level security;
