-- transactional: false
create index concurrently hl7_messages_with_content on hl7_messages (about) where body is not null;
