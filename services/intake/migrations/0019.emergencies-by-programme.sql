create policy with_admission on emergencies using (
    (select all_shown())
    or exists (
        select from admissions a
        where a.admission_id = emergencies.admission_id
            and a.program_id = any ((select programs_shown())::text[])
    )
);
alter table emergencies enable row level security;
alter table emergencies force row level security;
