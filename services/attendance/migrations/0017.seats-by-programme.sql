-- What is told of an admission is seen with it; an index finds which these are, here and in the next.
create policy with_admission on seats using (
    (select all_shown())
    or exists (
        select from admissions a
        where a.admission_id = seats.admission_id
            and a.program_id = any ((select programs_shown())::text[])
    )
);
alter table seats enable row level security;
alter table seats force row level security;
