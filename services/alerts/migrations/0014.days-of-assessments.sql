-- The quality board asks for some weeks of a site; rows come in order of days.
create index assessments_of_days on assessments using brin (day) with (pages_per_range = 16);
