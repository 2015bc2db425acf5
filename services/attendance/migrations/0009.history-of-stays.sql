-- What was recorded of a stay before a correction: evidence, guests, and why a person missed.
-- Empty where the correction is older than this.
alter table seat_history
    add column left_early boolean,
    add column mode text,
    add column reason text,
    add column guests int,
    add column joined_at timestamptz,
    add column left_at timestamptz;
