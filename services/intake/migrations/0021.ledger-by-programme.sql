-- What is of nobody, such as a law that was set, is for those who see all.
create policy with_admission on ledger using (
    (select all_shown())
    or exists (
        select from admissions a
        where a.admission_id = ledger.admission_id
            and a.program_id = any ((select programs_shown())::text[])
    )
);
alter table ledger enable row level security;
alter table ledger force row level security;
