-- Recurring sessions: their rule in local time (RFC 5545), who is expected, and the sessions made.
create table series (
    site_id text not null,
    series_key text not null,
    track text,
    program_id text,
    session_type text not null,
    modality text not null,
    mode text not null,
    planned_minutes int not null,
    recurrence text not null,
    holidays text,
    planned_through date not null,
    primary key (site_id, series_key)
);
create table series_members (
    site_id text not null,
    series_key text not null,
    admission_id uuid not null,
    from_on date not null,
    until_on date,
    primary key (site_id, series_key, admission_id),
    foreign key (site_id, series_key) references series
);
create index series_of_an_admission on series_members (admission_id);

alter table sessions add column series_key text;
create index sessions_of_a_series on sessions (site_id, series_key, held_on)
    where series_key is not null;
create index sessions_with_an_hour on sessions (site_id, held_on) where starts_at is not null;
