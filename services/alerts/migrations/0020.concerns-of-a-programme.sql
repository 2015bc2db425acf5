-- transactional: false
-- Who looks at a programme finds by this what was worked on there (0021).
create index concurrently concerns_worked_on_in on concerns (program_id);
