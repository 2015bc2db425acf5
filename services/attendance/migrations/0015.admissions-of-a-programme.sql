-- transactional: false
-- Who looks at a programme finds by this whose rows are its (0016 and on).
create index concurrently admissions_of_programme on admissions (program_id);
