-- Whom to call, and how: sealed with the admission's own key.
create table contacts (
    admission_id uuid not null,
    -- A support of the person; the nil identifier is the person.
    support_id uuid not null,
    sealed bytea not null,
    written_at timestamptz not null default now(),
    primary key (admission_id, support_id)
);

alter table admissions add column erased_at timestamptz;
