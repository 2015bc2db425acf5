-- The person of a message that is kept, where one is known: erased with them.
alter table hl7_messages add column about uuid;
