-- From this the page makes the key under which a browser keeps an unsent roster.
create table seals (
    name text primary key,
    secret bytea not null
);
