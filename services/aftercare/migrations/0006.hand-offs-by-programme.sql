create policy by_programme on hand_offs using (
    (select all_shown())
    or program_of(admission_id) = any ((select programs_shown())::text[])
);
alter table hand_offs enable row level security;
alter table hand_offs force row level security;
