-- An outreach recorded by mistake and taken back: it counts nowhere, and is not forgotten.
create table outreach_undone (
    outreach_id uuid primary key,
    concern_id uuid not null references concerns,
    admission_id uuid not null,
    channel text not null,
    outcome text not null,
    party text not null,
    day date not null,
    occurred_at timestamptz not null,
    undone_at timestamptz not null default now()
);
create index outreach_undone_of_admission on outreach_undone (admission_id);
create index outreach_of_admission on outreach (admission_id);
