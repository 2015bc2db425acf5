-- In which programme somebody is decides who may see them.
alter table admissions add column program_id text;
