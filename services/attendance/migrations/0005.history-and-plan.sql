-- What was recorded of a seat until a correction replaced it, and the dose a week that is planned.
create table seat_history (
    session_id uuid not null,
    admission_id uuid not null,
    version int not null,
    status text not null,
    minutes int not null,
    minutes_late int not null,
    attended_on date,
    recorded_at timestamptz not null,
    replaced_at timestamptz not null,
    primary key (session_id, admission_id, version)
);
create index history_of_an_admission on seat_history (admission_id);
alter table admissions add column weekly_minutes int;
