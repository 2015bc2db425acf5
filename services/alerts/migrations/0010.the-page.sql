-- What the page needs: who is in which programme, what changed since, and who is signed in.

create table people (
    admission_id uuid primary key,
    program_id text not null,
    track text not null
);
create index people_of_program on people (program_id);

-- The transaction that last changed a concern: a reader that asks for everything since the oldest
-- one still running at its last look misses nothing, in whatever order they commit.
alter table concerns add column changed_in bigint not null default 0;
create index concerns_changed on concerns (changed_in);
create index concerns_open on concerns (level, due_at) where closed_at is null;

create function note_change() returns trigger language plpgsql as $$
begin
    new.changed_in := pg_current_xact_id()::text::bigint;
    return new;
end $$;
create trigger concerns_note_change before insert or update on concerns
    for each row execute function note_change();

-- A sign-in that has begun; taken once. `hidden` values are SHA-256 of what the browser holds.
create table sign_ins (
    hidden_state bytea primary key,
    hidden_cookie bytea not null,
    nonce text not null,
    verifier text not null,
    goes_to text not null,
    begun_at timestamptz not null default now()
);

create table sign_in_sessions (
    hidden_id bytea primary key,
    subject text not null,
    role text not null,
    programs text[],
    forms text not null,
    signed_in_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    ends_at timestamptz not null
);
create index sign_in_sessions_ends on sign_in_sessions (ends_at);
