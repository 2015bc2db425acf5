-- What attendance knows of an admission from intake's events.
create table admissions (
    admission_id uuid primary key,
    site_id text not null,
    status text not null
        check (status in ('referred', 'admitted', 'on_hold', 'discharged', 'lost')),
    admitted_on date,
    ended_on date,
    held_from date,
    held_until date
);

-- `held_on` is the planned day, or of a visit that nobody planned the day it took place.
create table sessions (
    session_id uuid primary key,
    site_id text not null,
    source text not null,
    session_key text not null,
    session_type text not null,
    modality text not null,
    mode text not null,
    held_on date not null,
    planned_on date,
    starts_at timestamptz,
    planned_minutes int not null,
    program_id text,
    track text,
    is_cancelled boolean not null default false,
    unique (source, session_key)
);
create index sessions_of_a_day on sessions (site_id, held_on);

create table seats (
    session_id uuid not null references sessions,
    admission_id uuid not null,
    status text not null check (status in (
        'scheduled', 'attended', 'no_show', 'late_cancellation', 'excused', 'cancelled_by_program'
    )),
    minutes int not null default 0,
    minutes_late int not null default 0,
    left_early boolean not null default false,
    mode text not null,
    attended_on date,
    reason text,
    recorded_at timestamptz,
    version int not null default 1,
    primary key (session_id, admission_id)
);
create index seats_of_an_admission on seats (admission_id);
