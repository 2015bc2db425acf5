-- What other systems send may come in another dialect than HL7 v2.
alter table hl7_messages add column protocol text not null default 'hl7';
