-- Answers to forms are sealed with the person's own key; `answers` is then an empty object.
alter table measures add column sealed bytea;
alter table admissions add column erased_at timestamptz;
