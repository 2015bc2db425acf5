-- A follow-up is seen with its hand-off, which its key finds.
create policy with_hand_off on follow_ups using (
    (select all_shown())
    or program_of((
        select h.admission_id from hand_offs h where h.step_down_id = follow_ups.step_down_id
    )) = any ((select programs_shown())::text[])
);
alter table follow_ups enable row level security;
alter table follow_ups force row level security;
