create policy with_admission on barriers using (
    (select all_shown())
    or exists (
        select from admissions a
        where a.admission_id = barriers.admission_id
            and a.program_id = any ((select programs_shown())::text[])
    )
);
alter table barriers enable row level security;
alter table barriers force row level security;
