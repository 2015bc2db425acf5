create policy with_admission on seat_history using (
    (select all_shown())
    or exists (
        select from admissions a
        where a.admission_id = seat_history.admission_id
            and a.program_id = any ((select programs_shown())::text[])
    )
);
alter table seat_history enable row level security;
alter table seat_history force row level security;
