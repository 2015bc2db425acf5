-- HL7 v2 messages in: who sends, whom their identifiers mean, and what was heard.

create table hl7_senders (
    source text primary key,
    application text not null,
    facility text not null,
    site_id text not null,
    time_zone text not null,
    -- Another organisation: it is never told whether a person is known here.
    is_outside boolean not null,
    terms jsonb not null,
    unique (application, facility)
);

-- Names are keyed hashes: they can be compared and not read.
create table hl7_names (
    name bytea primary key,
    subject uuid not null
);
create index hl7_names_of on hl7_names (subject);

-- The newest message applied to each visit, person or appointment.
create table hl7_newest (
    name bytea primary key,
    sent_at timestamptz not null
);

create table hl7_messages (
    message_id uuid primary key default gen_random_uuid(),
    source text not null,
    -- Keyed hash of the sender's own identifier, and of the whole message.
    control bytea not null,
    digest bytea not null,
    kind text not null,
    state text not null check (state in ('applied', 'older', 'kept', 'dropped')),
    error int,
    code text,
    place text,
    subject bytea,
    -- Encrypted; gone once it was applied or dropped.
    body bytea,
    tries int not null default 0,
    heard_at timestamptz not null default now(),
    settled_at timestamptz,
    -- Only what waits for something that may still come is tried again by itself.
    next_try_at timestamptz,
    unique (source, control)
);
create index hl7_messages_kept on hl7_messages (heard_at) where state = 'kept';
create index hl7_messages_due on hl7_messages (next_try_at) where next_try_at is not null;
create index hl7_messages_waiting on hl7_messages (subject) where next_try_at is not null;
