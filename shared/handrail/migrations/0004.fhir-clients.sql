-- By which client of its tokens a sender is known where it speaks FHIR.
create table fhir_clients (
    client text primary key,
    source text not null unique references hl7_senders
);
