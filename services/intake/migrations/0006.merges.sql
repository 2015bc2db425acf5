alter table admissions
    add column merged_into uuid,
    add column status_before text;
create index admissions_of_person on admissions (patient_id);
create index admissions_merged on admissions (merged_into) where merged_into is not null;
