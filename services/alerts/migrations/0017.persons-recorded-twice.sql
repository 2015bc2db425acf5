-- Who is recorded twice, and under which admission an open safety flag stands meanwhile.
create table merges (
    duplicate_id uuid not null,
    survivor_id uuid not null,
    in_force boolean not null,
    flag_moved boolean not null default false,
    primary key (duplicate_id, survivor_id)
);
create index merges_to_undo on merges (duplicate_id) where flag_moved and not in_force;

-- A concern that goes on under another admission: its attempts count there too.
create table moved_concerns (
    concern_id uuid primary key,
    goes_on_as uuid not null
);
create index moved_concerns_from on moved_concerns (goes_on_as);
