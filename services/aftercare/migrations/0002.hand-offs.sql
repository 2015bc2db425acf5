-- Where each admission belongs, from intake's events.
create table admissions (
    admission_id uuid primary key,
    site_id text not null
);

create table hand_offs (
    step_down_id uuid primary key,
    admission_id uuid not null,
    site_id text not null,
    destination text not null,
    receiver text not null,
    started_on date not null,
    first_visit_on date not null,
    status text not null check (status in ('started', 'accepted', 'seen', 'missed', 'returned')),
    visited_on date
);
create index hand_offs_waiting on hand_offs (site_id, first_visit_on)
    where status in ('started', 'accepted');
create index hand_offs_of_a_site on hand_offs (site_id, step_down_id);

create table follow_ups (
    step_down_id uuid not null references hand_offs,
    follow_up_day int not null,
    site_id text not null,
    due_on date not null,
    status text not null check (status in ('planned', 'due', 'completed', 'overdue', 'called_off')),
    primary key (step_down_id, follow_up_day)
);
create index follow_ups_waiting on follow_ups (site_id, due_on)
    where status in ('planned', 'due');
