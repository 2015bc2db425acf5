-- What a session is about, by the site's own list of codes.
alter table sessions add column topic text;
alter table series add column topic text;
