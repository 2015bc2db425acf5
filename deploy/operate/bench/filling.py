"""A long history, written straight into the tables of a service: $1 admissions, $2 the site."""

SITE = """
insert into sites (site_id, time_zone, clock, closed_through)
values ($1, 'UTC', 'wall', current_date - 1)
"""
ATTENDANCE = """
with people as (
    insert into admissions (admission_id, site_id, status, admitted_on, ended_on, weekly_minutes)
    select gen_random_uuid(), $2, case when n % 10 = 0 then 'admitted' else 'discharged' end,
        current_date - 400, case when n % 10 <> 0 then current_date - 30 end, 540
    from generate_series(1, $1::int) as n
    returning admission_id
), numbered as (
    select admission_id, row_number() over () as n from people
), held as (
    insert into sessions (
        session_id, site_id, source, session_key, session_type, modality, mode, held_on,
        planned_on, starts_at, planned_minutes
    )
    select gen_random_uuid(), $2, 'fill', 's' || gen_random_uuid(), 'group', 'cbt', 'in_person',
        current_date - 31 - k % 300, current_date - 31 - k % 300,
        current_date - 31 - k % 300 + interval '18 hours', 180
    from generate_series(1, $1::int / 6) as k
    returning session_id, held_on
), sessions_of as (
    select session_id, held_on, row_number() over () as k from held
), seated as (
    insert into seats (
        session_id, admission_id, status, minutes, mode, attended_on, recorded_at
    )
    select s.session_id, p.admission_id, 'attended', 170, 'in_person', s.held_on, s.held_on
    from numbered p cross join generate_series(0, 1) as again
    join sessions_of s on s.k = (p.n * 2 + again) % ($1::int / 6) + 1
    returning admission_id, session_id
), told as (
    insert into outbox (shard, partition, key, sequence, event_id, type, occurred_at, data)
    select 0, 0, admission_id, row_number() over (partition by admission_id), gen_random_uuid(),
        'attendance.session_attended.v1', now(), convert_to(repeat('x', 400), 'utf8')
    from seated
    returning key
), streams as (
    insert into outbox_streams (key, sequence) select key, count(*) from told group by key
)
insert into receipts (source, key, subject)
select 'fill', gen_random_uuid()::text, session_id from seated
"""
INTAKE = """
with people as (
    insert into admissions (
        admission_id, patient_id, site_id, status, referral_source, referred_at, admitted_on,
        program_id, weekly_minutes, sessions_per_week, ended_on, ended_for, is_eligible, policy_on,
        first_session_id, first_session_on, first_session_at, review_on, recertify_by
    )
    select gen_random_uuid(), gen_random_uuid(), $2,
        case when n % 10 = 0 then 'admitted' else 'discharged' end, 'self', now() - interval '400 days',
        current_date - 400, 'iop', 540, 3, case when n % 10 <> 0 then current_date - 30 end,
        case when n % 10 <> 0 then 'completed' end, true, current_date - 400, gen_random_uuid(),
        current_date - 399, now() - interval '399 days', current_date + n % 60, current_date + n % 60
    from generate_series(1, $1::int) as n
    returning admission_id
), told as (
    insert into outbox (shard, partition, key, sequence, event_id, type, occurred_at, data)
    select 0, 0, admission_id, again, gen_random_uuid(), 'intake.referral_received.v1', now(),
        convert_to(repeat('x', 400), 'utf8')
    from people cross join generate_series(1, 3) as again
    returning key
), streams as (
    insert into outbox_streams (key, sequence) select key, count(*) from told group by key
)
insert into receipts (source, key, subject)
select 'fill', gen_random_uuid()::text, admission_id from people
"""
BY_SERVICE = {"attendance": ATTENDANCE, "intake": INTAKE}
IN_CARE = "select admission_id from admissions where status = 'admitted' limit 200"
