"""The same numbers in plain SQL over the raw log: what the services published, and nothing else.

It shares no code with the services. The log is read from their outboxes into a database of its
own; the tables made from it only cast and name what the events say.
"""

from datetime import date
from typing import Any

import asyncpg

OWNERS = ("intake", "attendance", "aftercare", "alerts")

_OUTBOX = """
select type, sequence, convert_from(data, 'utf8') as data from outbox order by id
"""
_LOG = "create table log (owner text, type text, sequence bigint, data text)"
_READ = "alter table log alter column data type jsonb using data::jsonb"
_TABLES = """
create table referrals as
select (data ->> 'admission_id')::uuid as person, data ->> 'site_id' as site,
    ((data ->> 'occurred_at')::timestamptz at time zone (data ->> 'time_zone'))::date as referred,
    data ->> 'source' as source, (data ->> 'recorded_day')::date as known
from log where type = 'intake.referral_received.v1';

create table admissions as
select (data ->> 'admission_id')::uuid as person, data ->> 'site_id' as site,
    (data ->> 'admitted_on')::date as admitted, (data ->> 'recorded_day')::date as known
from log where type = 'intake.intake_completed.v1';

create table plans as
select (data ->> 'admission_id')::uuid as person,
    coalesce(data ->> 'admitted_on', data ->> 'recorded_day')::date as since,
    (data ->> 'weekly_minutes')::int as weekly, sequence, (data ->> 'recorded_day')::date as known
from log where type in ('intake.intake_completed.v1', 'intake.plan_changed.v1');

create table ends as
select (data ->> 'admission_id')::uuid as person, (data ->> 'discharged_on')::date as ended,
    data ->> 'reason' as reason, (data ->> 'recorded_day')::date as known
from log where type = 'intake.discharged.v1';

create table said_of_seats as
select (data ->> 'admission_id')::uuid as person, (data ->> 'session_id')::uuid as session,
    data ->> 'site_id' as site, sequence, (data ->> 'recorded_day')::date as known,
    case type
        when 'attendance.session_attended.v1' then 'attended'
        when 'attendance.session_missed.v1' then data ->> 'kind'
        when 'attendance.attendance_corrected.v1' then data ->> 'now'
        else 'neither'
    end as what,
    coalesce(data ->> 'attended_on', data ->> 'planned_on', data ->> 'recorded_day')::date as day,
    (data ->> 'minutes')::int as minutes
from log
where type in (
    'attendance.session_attended.v1', 'attendance.session_missed.v1',
    'attendance.session_excused.v1', 'attendance.session_cancelled_by_program.v1',
    'attendance.attendance_corrected.v1', 'attendance.session_made_up.v1'
);
create index on said_of_seats (site, known);

create table next_places as
select (data ->> 'admission_id')::uuid as person, (data ->> 'visited_on')::date as seen,
    (data ->> 'recorded_day')::date as known
from log where type = 'aftercare.first_visit_kept.v1';

create table calls as
select (data ->> 'admission_id')::uuid as person, (data ->> 'follow_up_day')::int as days,
    (data ->> 'recorded_day')::date as known
from log where type = 'aftercare.follow_up_completed.v1';

create table tries as
select (data ->> 'admission_id')::uuid as person, (data ->> 'recorded_day')::date as day
from log where type = 'alerts.outreach_recorded.v1';
analyze;
"""
# Of a site as known at the end of $2; the period is from $3 to $4.
_SEATS = """
create temp table seats as
select person, day, minutes, what from (
    select distinct on (person, session) person, day, minutes, what
    from said_of_seats where site = $1 and known <= $2
    order by person, session, sequence desc
) s where what in ('attended', 'no_show', 'late_cancellation')
"""
_DAYS = """
with d as (select generate_series($3::date, least($2::date, $4::date), '1 day')::date as day),
people as (
    select a.person, a.admitted, e.ended from admissions a
    left join ends e on e.person = a.person and e.known <= $2::date
    where a.site = $1 and a.known <= $2::date
),
visits as (
    select day, count(distinct person) as seen, sum(minutes) as minutes from seats
    where what = 'attended' group by day
)
select d.day,
    (select count(*) from people p
     where p.admitted <= d.day and (p.ended is null or p.ended > d.day)) as census,
    coalesce(v.seen, 0) as seen, coalesce(v.minutes, 0) as minutes
from d left join visits v using (day) order by d.day
"""
_REPORT = """
with asked as (select $2::date as as_of, $3::date as first, $4::date as last),
people as (
    select r.person, r.referred, r.source, a.admitted, e.ended, e.reason,
        (select min(v.day) from seats v where v.person = r.person and v.what = 'attended')
            as begun
    from referrals r
    left join admissions a on a.person = r.person and a.known <= $2::date
    left join ends e on e.person = r.person and e.known <= $2::date
    where r.site = $1 and r.known <= $2::date
),
retained as (
    select n.days,
        p.ended is null or p.ended > p.admitted + n.days as is_open,
        exists (
            select from seats v where v.person = p.person and v.what = 'attended'
                and v.day > p.admitted + n.days - 14 and v.day <= p.admitted + n.days
        ) as came
    from people p, asked, (values (30), (60), (90)) n (days)
    where p.admitted between first and least(last, as_of) and p.admitted + n.days <= as_of
        and not coalesce(p.reason = 'completed' and p.ended <= p.admitted + n.days, false)
),
ended as (
    select p.* from people p, asked where p.ended between first and least(last, as_of)
),
stays as (
    select p.person, greatest(first, p.admitted) as since,
        least(last, as_of, p.ended) as until
    from people p, asked
    where p.admitted <= least(last, as_of) and (p.ended is null or p.ended >= first)
),
steps as (
    select person, weekly, since,
        lead(since) over (partition by person order by since, sequence) as next
    from plans where known <= $2::date
),
dose as (
    select count(*) as people, sum(s.until - s.since + 1) as days,
        (select coalesce(sum(v.minutes), 0) from stays t join seats v using (person)
            where v.what = 'attended' and v.day between t.since and t.until) as received,
        (select sum(t.weekly * greatest(
                0, least(coalesce(t.next, u.until + 1), u.until + 1) - greatest(t.since, u.since)
            )) from stays u join steps t using (person)) as planned
    from stays s where s.until >= s.since
),
kept as (
    select v.* from seats v, asked where v.day between first and least(last, as_of)
),
referred as (
    select p.* from people p, asked where p.referred between first and least(last, as_of)
),
begun as (
    select r.referred, r.begun is not null and r.begun <= r.referred + 14 as initiated,
        (select count(distinct v.day) from seats v where v.person = r.person
            and v.what = 'attended' and v.day > r.begun and v.day <= r.begun + 34) >= 2 as more
    from referred r
),
tried as (
    select t.person, min(t.day) as day from tries t join people using (person), asked
    where t.day between first and least(last, as_of) and t.day <= $2::date group by t.person
),
windows as (select * from (values (7), (30)) n (days))
select 'census' as measure, 'open' as part, count(*) as n, null::bigint as of,
    null::float8 as value
from people p, asked
where p.admitted <= least(last, as_of) and (p.ended is null or p.ended > least(last, as_of))
union all
select 'retention', n.days::text, count(*) filter (where r.is_open and r.came),
    count(r.days), null
from (values (30), (60), (90)) n (days) left join retained r using (days) group by n.days
union all
select 'ended', t.reason, count(e.person), (select count(*) from ended), null
from (values ('completed'), ('dropped_out'), ('terminated_by_facility'), ('transferred'),
    ('incarcerated'), ('died'), ('other')) t (reason)
left join ended e using (reason) group by t.reason
union all
select 'ended', 'all', count(*), count(*), null from ended
union all
select 'dose', 'minutes_a_week', null, null, received * 7.0 / nullif(days, 0) from dose
union all
select 'dose', 'share_of_plan', null, null, received * 7.0 / nullif(planned, 0) from dose
union all
select 'seats', t.part, count(k.person), (select count(*) from kept), null
from (values ('kept', 'attended'), ('no_show', 'no_show'),
    ('late_cancellation', 'late_cancellation')) t (part, what)
left join kept k using (what) group by t.part
union all
select 'seats', 'all', count(*), count(*), null from kept
union all
select 'first_session', 'median_days', null, null,
    percentile_cont(0.5) within group (order by begun - referred)
from referred where begun is not null
union all
select 'first_session', 'within_2_days', count(*) filter (where begun <= referred + 2),
    count(*), null
from referred, asked where referred + 2 <= as_of
union all
select 'initiation', '14', count(*) filter (where initiated), count(*), null
from begun, asked where referred + 14 <= as_of
union all
select 'engagement', '34', count(*) filter (where initiated and more), count(*), null
from begun, asked where referred + 48 <= as_of
union all
select 'follow_up_after_hospital', w.days::text, count(*) filter (where exists (
        select from seats v where v.person = r.person and v.what = 'attended'
            and v.day <= r.referred + w.days and v.day >= r.referred
            and (v.day > r.referred or r.source = 'emergency_department')
    )), count(r.person), null
from windows w cross join asked
left join referred r on r.source in ('inpatient', 'emergency_department')
    and r.referred + w.days <= as_of
group by w.days
union all
select 'seen_after_programme', w.days::text, count(*) filter (where exists (
        select from next_places x where x.person = e.person and x.known <= $2::date
            and x.seen <= e.ended + w.days
    )), count(e.person), null
from windows w cross join asked
left join ended e on e.reason in ('completed', 'transferred') and e.ended + w.days <= as_of
group by w.days
union all
select 'called_after_programme', w.days::text, count(*) filter (where exists (
        select from calls x where x.person = e.person and x.known <= $2::date and x.days = w.days
    )), count(e.person), null
from windows w cross join asked
left join ended e on e.reason in ('completed', 'transferred') and e.ended + w.days <= as_of
group by w.days
union all
select 'return_after_outreach', '14', count(*) filter (where exists (
        select from seats v where v.person = t.person and v.what = 'attended'
            and v.day between t.day and t.day + 14
    )), count(*), null
from tried t, asked where t.day + 14 <= as_of
"""


async def load(admin: asyncpg.Connection, url_of: Any) -> None:
    """Read every outbox into the log of this connection's database. `url_of(owner)` names one."""
    await admin.execute(_LOG)
    for owner in OWNERS:
        source = await asyncpg.connect(url_of(owner))
        try:
            rows = await source.fetch(_OUTBOX)
        finally:
            await source.close()
        await admin.copy_records_to_table(
            "log", records=[(owner, r["type"], r["sequence"], r["data"]) for r in rows]
        )
    await admin.execute(_READ)
    await admin.execute(_TABLES)


async def recomputed(
    conn: asyncpg.Connection, site: str, as_of: date, first: date, last: date
) -> tuple[list[tuple[Any, ...]], dict[tuple[str, str], tuple[Any, Any, Any]]]:
    """The days and the figures of a site as known at the end of `as_of`."""
    await conn.execute("drop table if exists seats")
    literal = await conn.fetchval("select format('%L', $1::text)", site)
    day = await conn.fetchval("select format('%L::date', $1::date)", as_of)
    # A command that makes a table takes no parameters.
    await conn.execute(_SEATS.replace("$1", literal).replace("$2", day))
    await conn.execute("create index on seats (person, day)")
    await conn.execute("analyze seats")
    days = [tuple(r) for r in await conn.fetch(_DAYS, site, as_of, first, last)]
    rows = await conn.fetch(_REPORT, site, as_of, first, last)
    return days, {(r["measure"], r["part"]): (r["n"], r["of"], r["value"]) for r in rows}
