-- When nobody had reported a session and its roster was asked for.
alter table sessions add column roster_asked_at timestamptz;
create index sessions_by_start on sessions (starts_at) where starts_at is not null;
create index rosters_asked_for on sessions (site_id, roster_asked_at)
    where roster_asked_at is not null;
