-- Who came along, the evidence of a stay, and what stands in a person's way.
alter table seats add column guests int not null default 0;
alter table seats add column joined_at timestamptz;
alter table seats add column left_at timestamptz;

create table barriers (
    admission_id uuid not null,
    barrier text not null,
    noted_at timestamptz not null,
    lifted_at timestamptz,
    primary key (admission_id, barrier)
);
