alter table admissions
    add column waitlisted_at timestamptz,
    add column is_urgent boolean not null default false,
    add column review_on date,
    add column recertify_by date,
    add column age_group text not null default 'adult',
    add column focus text,
    add column chart jsonb not null default '{}',
    drop constraint admissions_status_check;
alter table admissions add constraint admissions_status_check check (
    status in (
        'referred', 'waitlisted', 'admitted', 'on_hold', 'discharged', 'lost', 'declined', 'merged'
    )
);
update admissions set recertify_by = admitted_on + 60 where admitted_on is not null;
create index admissions_waiting on admissions (site_id, is_urgent desc, waitlisted_at)
    where status = 'waitlisted';
create index admissions_to_review on admissions (site_id, review_on)
    where status in ('admitted', 'on_hold');
create index admissions_to_certify on admissions (site_id, recertify_by)
    where status in ('admitted', 'on_hold');

create table programs (
    site_id text not null,
    program_id text not null,
    focus text not null,
    age_group text not null,
    instrument text not null,
    edition text not null,
    level_of_care text not null,
    track text not null,
    weekly_minutes int not null,
    session_types text[] not null,
    modes text[] not null,
    places int not null,
    meets jsonb not null,
    primary key (site_id, program_id)
);
