-- Who holds or covers a role for a person, from intake's events.
create table teams (
    admission_id uuid not null,
    role text not null,
    staff_id uuid not null,
    from_on date not null,
    until_on date,
    is_cover boolean not null,
    primary key (admission_id, role, staff_id, from_on)
);

-- Who is on call at a site, from a day on; kept for good.
create table rotas (
    site_id text not null,
    version text not null,
    begins_on date not null,
    body jsonb not null,
    primary key (site_id, version),
    unique (site_id, begins_on)
);
