-- Who outside is told, what waits for them, and the ledger of what was told.

create table site_laws (
    site_id text primary key,
    state text not null
);

create table subscribers (
    subscriber_id uuid primary key,
    site_id text not null,
    recipient_class text not null,
    recipient text not null,
    purpose text not null,
    data_classes text[] not null,
    url text not null,
    secret text not null,
    -- Signs beside the new one until then.
    old_secret text,
    old_until timestamptz,
    -- Makes the names by which this subscriber, and no other, knows a person.
    subject_key bytea not null,
    state text not null default 'active' check (state in ('active', 'disabled', 'removed')),
    heartbeat_seconds int not null,
    -- The number of the last message that was taken.
    last_sequence bigint not null default 0,
    last_sent_at timestamptz,
    tries int not null default 0,
    failing_since timestamptz,
    trouble text,
    next_try_at timestamptz not null default now(),
    -- One courier at a time; another follows if it dies.
    holder uuid,
    held_until timestamptz,
    created_at timestamptz not null default now()
);

create table deliveries (
    id bigint generated always as identity primary key,
    -- The key by which a subscriber drops repeats.
    delivery_id uuid not null default gen_random_uuid(),
    subscriber_id uuid not null references subscribers,
    admission_id uuid not null,
    event_id uuid not null,
    type text not null,
    -- Gone once it was kept back.
    data bytea,
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'withheld')),
    sequence bigint,
    reason text,
    -- A try is under way, or died.
    trying boolean not null default false,
    unconfirmed boolean not null default false,
    heard_at timestamptz not null default now(),
    settled_at timestamptz,
    unique (subscriber_id, event_id)
);
create index deliveries_waiting on deliveries (subscriber_id, id) where state = 'waiting';
create index deliveries_sent on deliveries (subscriber_id, sequence) where sequence is not null;

-- Where the reader of all topics stands; no rows while nobody subscribes.
create table egress_offsets (
    topic text not null,
    partition smallint not null,
    next_offset bigint not null,
    primary key (topic, partition)
);

-- Only grows. Each row's hash holds the one before it; its key is not in this database.
create table ledger (
    number bigint primary key,
    admission_id uuid,
    subscriber_id uuid,
    entry text not null,
    hash text not null
);
create index ledger_of_admission on ledger (admission_id, number) where admission_id is not null;

create table ledger_head (
    is_only boolean primary key default true check (is_only),
    number bigint not null,
    hash text not null
);
insert into ledger_head (number, hash) values (0, '');
