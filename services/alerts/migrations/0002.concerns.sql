-- What is known of each admission, and what follows from it.

create table admissions (
    admission_id uuid primary key,
    site_id text not null,
    partition smallint not null,
    -- Assessed at each day's end while true; `pending` while facts wait for their day's end.
    watched boolean not null,
    pending boolean not null,
    body bytea not null
) with (fillfactor = 60);
create index admissions_due on admissions (site_id, partition) where watched or pending;

create table facts (
    admission_id uuid not null,
    owner text not null,
    sequence bigint not null,
    body bytea not null,
    primary key (admission_id, owner, sequence)
);

create table days_heard (
    site_id text not null,
    partition smallint not null,
    owner text not null,
    day date not null,
    primary key (site_id, partition, owner)
);

create table days_over (
    site_id text not null,
    partition smallint not null,
    day date not null,
    primary key (site_id, partition)
);

create table assessments (
    admission_id uuid not null,
    day date not null,
    site_id text not null,
    risk28 double precision not null,
    risk14 double precision not null,
    score double precision not null,
    level smallint,
    table_version text not null,
    primary key (admission_id, day)
);
create index assessments_of_site on assessments (site_id, admission_id, day);

create table concerns (
    concern_id uuid primary key,
    admission_id uuid not null,
    site_id text not null,
    spell int not null,
    level smallint not null check (level between 0 and 3),
    kind text not null,
    reasons text[] not null,
    opened_on date not null,
    opened_at timestamptz not null default now(),
    owner_role text not null,
    acknowledged_at timestamptz,
    due_at timestamptz,
    escalations int not null default 0,
    ending text,
    closed_on date,
    closed_at timestamptz,
    unique (admission_id, spell)
);
create unique index concerns_one_open on concerns (admission_id) where closed_at is null;
create index concerns_list on concerns (site_id, level, opened_on) where closed_at is null;
create index concerns_due on concerns (due_at) where closed_at is null and due_at is not null;

create table alerts (
    alert_id uuid primary key,
    concern_id uuid not null references concerns,
    admission_id uuid not null,
    site_id text not null,
    level smallint not null check (level between 0 and 3),
    kind text not null,
    reasons text[] not null,
    tells text[] not null,
    day date not null,
    traceparent text,
    raised_at timestamptz not null default now(),
    -- True once the day it was raised on is over and it still holds.
    held boolean not null default false,
    withdrawn_at timestamptz,
    unique (concern_id, level)
);
create index alerts_of_site on alerts (site_id, admission_id, day);

create table outreach (
    outreach_id uuid primary key,
    concern_id uuid not null references concerns,
    admission_id uuid not null,
    channel text not null,
    outcome text not null,
    day date not null,
    occurred_at timestamptz not null
);
create index outreach_of_concern on outreach (concern_id);
