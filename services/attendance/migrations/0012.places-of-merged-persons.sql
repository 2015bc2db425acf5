-- What the survivor of a merge took over from the duplicate, to give it back if they were two.
create table merged_places (
    duplicate_id uuid not null,
    survivor_id uuid not null,
    site_id text not null,
    -- One of the two: a series with the last day in it, or a session that is in none.
    series_key text,
    until_on date,
    session_id uuid
);
create index merged_places_of_a_duplicate on merged_places (duplicate_id);
