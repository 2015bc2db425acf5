-- The two sides of exactly-once in effect: what this service says, and what it has heard.

-- Every event this service ever staged. Rows are never changed.
create table outbox (
    id bigint generated always as identity primary key,
    shard smallint not null,
    partition smallint not null,
    key uuid not null,
    sequence bigint not null,
    event_id uuid not null,
    type text not null,
    occurred_at timestamptz not null,
    data bytea not null check (octet_length(data) <= 262144),
    traceparent text,
    staged_at timestamptz not null default now(),
    unique (key, sequence)
);

-- Those the broker has not answered for yet. The relay reads them in id order.
create table outbox_pending (
    id bigint primary key,
    shard smallint not null,
    partition smallint not null,
    staged_at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- The last sequence of each stream. Its row lock puts an admission's events in order.
create table outbox_streams (
    key uuid primary key,
    sequence bigint not null
) with (fillfactor = 70);

create table relay_leases (
    shard smallint primary key,
    holder uuid not null,
    epoch bigint not null,
    expires_at timestamptz not null
);

-- Raised by a restore, so that consumers notice a source that went back in time.
create table incarnations (
    number int primary key,
    since timestamptz not null default now()
);
insert into incarnations (number) values (1);

create table inbox_offsets (
    topic text not null,
    partition smallint not null,
    next_offset bigint not null,
    moved_at timestamptz not null default now(),
    primary key (topic, partition)
) with (fillfactor = 50);

create table inbox_streams (
    owner text not null,
    key uuid not null,
    sequence bigint not null,
    incarnation int not null,
    primary key (owner, key)
) with (fillfactor = 70);

-- A record that could not be applied, or that came behind one. Never logged, never published.
create table dead_letters (
    id bigint generated always as identity primary key,
    topic text not null,
    partition smallint not null,
    record_offset bigint not null,
    key uuid,
    sequence bigint,
    type text,
    reason text not null,
    record bytea not null,
    state text not null default 'parked' check (state in ('parked', 'behind', 'applied', 'dropped')),
    attempts int not null default 1,
    first_seen_at timestamptz not null default now(),
    settled_at timestamptz,
    unique (topic, partition, record_offset)
);
create index dead_letters_waiting on dead_letters (key, id) where state in ('parked', 'behind');

-- Admissions whose events are kept behind a dead letter until it is redriven.
create table parked_keys (
    key uuid primary key,
    reason text not null,
    since timestamptz not null default now()
);

-- The sites this service has heard of, and how far each one's days are closed here.
create table sites (
    site_id text primary key,
    time_zone text not null,
    clock text not null check (clock in ('wall', 'replay')),
    closed_through date not null,
    has_closed boolean not null default false
);

-- Commands taken, by the caller's own key: the same command again changes nothing.
create table receipts (
    source text not null,
    key text not null,
    subject uuid,
    received_at timestamptz not null default now(),
    primary key (source, key)
);
