create policy with_admission on overdue_steps using (
    (select all_shown())
    or exists (
        select from admissions a
        where a.admission_id = overdue_steps.admission_id
            and a.program_id = any ((select programs_shown())::text[])
    )
);
alter table overdue_steps enable row level security;
alter table overdue_steps force row level security;
