-- transactional: false
-- What the code before writes in the clear, and what it wrote.
create index concurrently measures_to_seal on measures (admission_id) where answers <> '{}';
