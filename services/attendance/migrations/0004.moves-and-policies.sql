-- Where a miss was made up, and where a seat went that was rescheduled or swapped.
alter table seats add column made_up_in uuid;
alter table seats add column moved_to uuid;
create unique index one_make_up_a_visit on seats (admission_id, made_up_in)
    where made_up_in is not null;

create table policies (
    site_id text primary key,
    late_cancellation_hours int not null
);
