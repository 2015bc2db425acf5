create table admissions (
    admission_id uuid primary key,
    patient_id uuid not null,
    site_id text not null,
    status text not null
        check (status in ('referred', 'admitted', 'on_hold', 'discharged', 'lost')),
    referral_source text not null,
    referred_at timestamptz not null,
    admitted_on date,
    program_id text,
    track text,
    instrument text,
    edition text,
    level_of_care text,
    weekly_minutes int,
    sessions_per_week int,
    hold_reason text,
    ended_on date,
    ended_for text
);
create index admissions_open on admissions (site_id, status)
    where status in ('referred', 'admitted', 'on_hold');
