-- Seen where the person is now.
create policy with_admission on merged_places using (
    (select all_shown())
    or exists (
        select from admissions a
        where a.admission_id = merged_places.survivor_id
            and a.program_id = any ((select programs_shown())::text[])
    )
);
alter table merged_places enable row level security;
alter table merged_places force row level security;
