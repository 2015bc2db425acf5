-- Who is told of what, and what became of it. A notice names no person and no programme.

create table receivers (
    receiver_id uuid primary key,
    site_id text not null,
    role text not null,
    -- One member of the care team; everybody in the role if empty.
    member text,
    kind text not null check (kind in ('webhook', 'email')),
    address text not null,
    secret text,
    -- One message a staffed day instead of one a notice; safety is told at once all the same.
    digest boolean not null default false,
    next_digest_at timestamptz,
    active boolean not null default true,
    trouble text,
    last_sent_at timestamptz,
    created_at timestamptz not null default now()
);
create index receivers_of_site on receivers (site_id, role) where active;
create index receivers_of_digest on receivers (next_digest_at) where active and digest;

create table notices (
    -- The key by which a receiver drops repeats.
    notice_id uuid primary key default gen_random_uuid(),
    receiver_id uuid not null references receivers,
    concern_id uuid,
    change text not null check (change in ('raised', 'escalated', 'withdrawn', 'digest')),
    urgent boolean not null,
    due_at timestamptz,
    send_at timestamptz not null,
    tries int not null default 0,
    trouble text,
    sent_at timestamptz,
    dropped_at timestamptz,
    created_at timestamptz not null default now()
);
create index notices_to_send on notices (urgent, send_at)
    where sent_at is null and dropped_at is null;
create index notices_of_concern on notices (concern_id);
create index notices_of_receiver on notices (receiver_id, created_at);
