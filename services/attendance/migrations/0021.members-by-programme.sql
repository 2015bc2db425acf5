create policy with_admission on series_members using (
    (select all_shown())
    or exists (
        select from admissions a
        where a.admission_id = series_members.admission_id
            and a.program_id = any ((select programs_shown())::text[])
    )
);
alter table series_members enable row level security;
alter table series_members force row level security;
