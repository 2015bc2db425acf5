-- A subscriber reads by its consents, not by programmes: its routes see all (`disclosures/backport`).
create policy with_admission on deliveries using (
    (select all_shown())
    or exists (
        select from admissions a
        where a.admission_id = deliveries.admission_id
            and a.program_id = any ((select programs_shown())::text[])
    )
);
alter table deliveries enable row level security;
alter table deliveries force row level security;
