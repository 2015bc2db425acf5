-- Warm hand-offs, declines, alumni, returns, charts, and persons recorded twice.
alter table hand_offs
    add column warm_on date,
    add column declined_by text,
    add column declined_reason text,
    add column alumni_since date,
    add column return_state text not null default 'none'
        check (return_state in ('none', 'asked', 'overdue', 'withdrawn', 'returned')),
    add column return_asked_on date,
    add column return_due_on date,
    add column chart jsonb not null default '{}',
    drop constraint hand_offs_status_check,
    add constraint hand_offs_status_check
        check (status in ('started', 'accepted', 'seen', 'missed', 'declined', 'returned'));
create index hand_offs_of_an_admission on hand_offs (admission_id);
create index hand_offs_waiting_for_return on hand_offs (site_id, return_due_on)
    where return_state in ('asked', 'overdue');
create index hand_offs_of_alumni on hand_offs (site_id, step_down_id)
    where alumni_since is not null;
create index follow_ups_overdue on follow_ups (site_id, due_on, step_down_id)
    where status = 'overdue';

alter table admissions add column merged_into uuid;
create index admissions_merged on admissions (merged_into) where merged_into is not null;

create function survivor_of(uuid) returns uuid stable language sql as $$
    with recursive up as (
        select $1 as id, 0 as depth
        union all
        select a.merged_into, up.depth + 1
        from up join admissions a on a.admission_id = up.id
        where a.merged_into is not null and up.depth < 100
    )
    select id from up order by depth desc limit 1
$$;
