-- In a database of its own: a restored backup of a service's data brings no key back.
create table person_keys (
    -- The admission, or the one message, whose fields the key opens.
    holder uuid primary key,
    -- Empty once erased; the row stays, so that nobody gets a key anew.
    wrapped bytea,
    wrapped_by text,
    made_at timestamptz not null default now(),
    erased_at timestamptz,
    check ((wrapped is null) = (erased_at is not null)),
    check ((wrapped is null) = (wrapped_by is null))
);
create index person_keys_wrapped_by on person_keys (wrapped_by, holder) where wrapped is not null;
create index person_keys_erased on person_keys (holder) where wrapped is null;
