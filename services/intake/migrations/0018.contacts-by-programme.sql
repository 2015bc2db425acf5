create policy with_admission on contacts using (
    (select all_shown())
    or exists (
        select from admissions a
        where a.admission_id = contacts.admission_id
            and a.program_id = any ((select programs_shown())::text[])
    )
);
alter table contacts enable row level security;
alter table contacts force row level security;
