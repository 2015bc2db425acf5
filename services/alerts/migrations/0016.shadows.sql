-- A policy or table that is tried beside the one in force, from a day on; one a site.
create table shadows (
    site_id text primary key,
    begins_on date not null,
    body jsonb not null
);
