-- What people do about a concern, and the policy each site works by.

create table policies (
    site_id text not null,
    version text not null,
    -- The first local day it holds for.
    begins_on date not null,
    body text not null,
    set_at timestamptz not null default now(),
    primary key (site_id, version),
    unique (site_id, begins_on)
);

create table suppressions (
    admission_id uuid not null,
    started_on date not null,
    reason text not null,
    site_id text not null,
    ended_on date,
    primary key (admission_id, started_on, reason)
);
create index suppressions_of_site on suppressions (site_id, started_on);

alter table concerns
    add column next_step text not null default 'call',
    -- When the next role is told, by this database's clock.
    add column escalate_at timestamptz,
    add column snoozed_until timestamptz,
    add column snooze_reason text,
    add column assigned_role text,
    add column assigned_to text,
    add column paused text,
    add column policy_version text,
    add column table_version text;
create index concerns_late on concerns (escalate_at)
    where closed_at is null and escalate_at is not null;

update concerns set escalate_at = due_at
where closed_at is null and acknowledged_at is null and due_at is not null and level < 3;

alter table alerts
    add column policy_version text,
    add column table_version text;

alter table outreach
    add column party text not null default 'person',
    add column recorded_at timestamptz not null default now();
