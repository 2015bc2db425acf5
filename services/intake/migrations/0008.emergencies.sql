-- A medical emergency in which somebody was told without a consent (42 CFR 2.51); over by itself.
create table emergencies (
    emergency_id uuid primary key,
    admission_id uuid not null references admissions,
    recipient text not null,
    affiliation text not null,
    discloser_id uuid not null,
    nature text not null,
    data_classes text[] not null,
    opened_at timestamptz not null default now(),
    over_at timestamptz not null,
    reviewed_at timestamptz,
    reviewed_by text,
    finding text
);
create index emergencies_to_review on emergencies (opened_at) where reviewed_at is null;
