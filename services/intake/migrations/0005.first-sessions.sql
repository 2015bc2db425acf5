alter table admissions
    add column first_session_id uuid,
    add column first_session_on date,
    add column first_session_at timestamptz,
    add column went_cold_at timestamptz;
create index admissions_not_seen on admissions (site_id, referred_at)
    where first_session_at is null and status in ('referred', 'waitlisted', 'admitted');

-- Every session that was attended, so that a correction can find the next one.
create table visits (
    admission_id uuid not null,
    session_id uuid not null,
    attended_on date not null,
    attended_at timestamptz not null,
    primary key (admission_id, session_id)
);
