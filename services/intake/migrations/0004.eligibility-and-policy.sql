alter table admissions
    add column is_eligible boolean,
    add column policy_on date;
create index admissions_incomplete on admissions (site_id, referred_at)
    where status in ('referred', 'waitlisted', 'admitted', 'on_hold')
        and (is_eligible is null or policy_on is null);
