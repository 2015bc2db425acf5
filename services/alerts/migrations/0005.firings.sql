-- Each time a concern rose to a level, pushed or not: what the quality board counts.

create table firings (
    concern_id uuid not null references concerns,
    level smallint not null check (level between 0 and 3),
    admission_id uuid not null,
    site_id text not null,
    rule text not null,
    day date not null,
    pushed boolean not null,
    primary key (concern_id, level)
);
create index firings_of_site on firings (site_id, day);

insert into firings (concern_id, level, admission_id, site_id, rule, day, pushed)
select concern_id, level, admission_id, site_id, kind, day, true from alerts where held;
