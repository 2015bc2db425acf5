-- FHIR R4 Subscriptions that a registered subscriber made for itself. Each has a row of its own in
-- `subscribers`, with the class, purpose and data classes of the registration it belongs to.
create table fhir_subscriptions (
    subscription_id uuid primary key references subscribers,
    registered_id uuid not null references subscribers,
    topic text not null,
    -- The subscriber's own names of the persons it wants to hear of; all where it is left out.
    subjects uuid[],
    content text not null,
    -- What the receiver asked to be sent with each notification; secrets.
    headers text[] not null,
    has_heartbeat boolean not null,
    timeout_seconds int not null,
    max_count int,
    end_at timestamptz,
    -- Where it was made, for references back.
    base text not null,
    -- The handshake was answered.
    is_answered boolean not null default false,
    created_at timestamptz not null default now()
);
create index fhir_subscriptions_registered on fhir_subscriptions (registered_id);
