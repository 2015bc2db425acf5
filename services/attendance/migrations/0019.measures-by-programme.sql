create policy with_admission on measures using (
    (select all_shown())
    or exists (
        select from admissions a
        where a.admission_id = measures.admission_id
            and a.program_id = any ((select programs_shown())::text[])
    )
);
alter table measures enable row level security;
alter table measures force row level security;
