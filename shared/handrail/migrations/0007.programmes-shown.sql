-- Row-level security asks `handrail.programs`: a list of programmes, or * for all (`sight.py`).

-- Code from before says nothing, and may run beside this one while it is replaced. A service's own
-- migration allows it until then, where there was such code; afterwards who says nothing sees nothing.
create table silence_allowed (
    until timestamptz not null
);

create function silence_sees_all() returns boolean language sql stable as
'select exists (select from silence_allowed where until > now())';

create function programs_shown() returns text[] language sql stable as
'select nullif(nullif(current_setting(''handrail.programs'', true), ''*''), '''')::text[]';

create function all_shown() returns boolean language sql stable as
'select coalesce(current_setting(''handrail.programs'', true) = ''*'', silence_sees_all())';
