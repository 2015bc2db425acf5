-- Scales scored from an instrument's answers, and the answers themselves, which no event holds.
create table measures (
    admission_id uuid not null,
    instrument text not null,
    answered_at timestamptz not null,
    answered_on date not null,
    answers jsonb not null,
    scores jsonb not null,
    primary key (admission_id, instrument, answered_at)
);
create index admissions_in_care on admissions (site_id) where status in ('admitted', 'on_hold');
