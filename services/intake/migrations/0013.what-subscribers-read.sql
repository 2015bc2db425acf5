-- What a registered subscriber was told of by FHIR, under its own names, each with the newest
-- message that named it: what the name stands for may be read where it may still be told.
create table fhir_names (
    registered_id uuid not null references subscribers,
    name uuid not null,
    delivery bigint not null references deliveries on delete cascade,
    primary key (registered_id, name)
);
create index fhir_names_delivery on fhir_names (delivery);
