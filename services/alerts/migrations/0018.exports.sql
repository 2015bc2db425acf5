-- Bulk exports that were asked for. What they hold is aggregates alone; a day later they are gone.
create table exports (
    export_id uuid primary key,
    -- Whoever asked, and nobody else, may look, fetch and end it.
    asked_by text not null,
    request text not null,
    since_on date,
    asked_at timestamptz not null default now(),
    state text not null default 'waiting',
    done_at timestamptz,
    sites_done int not null default 0,
    sites int,
    -- One at a time works on it; another follows if that one dies.
    tries int not null default 0,
    held_until timestamptz,
    lines bytea,
    reports int
);
create index exports_waiting on exports (asked_at) where state = 'waiting';
