-- That a step of intake is overdue is said once of each admission and step.
create table overdue_steps (
    admission_id uuid not null,
    step text not null,
    due_on date not null,
    said_at timestamptz not null default now(),
    primary key (admission_id, step)
);
