-- The policies of 0019, in a form whose rows an index finds: each asks for the caller's programmes
-- itself. To ask only for what another policy shows had all concerns and all people read once a
-- statement, for fifty attempts of 120,000.

-- Nearly every transaction begins at this table: so does this one, and waits before it holds anything.
alter policy with_person on admissions using (
    (select all_shown())
    or exists (
        select from people p
        where p.admission_id = admissions.admission_id
            and p.program_id = any ((select programs_shown())::text[])
    )
);

alter policy by_programme on concerns using (
    (select all_shown()) or program_id = any ((select programs_shown())::text[])
    or closed_at is not null
        and exists (
            select from people p
            where p.admission_id = concerns.admission_id
                and p.program_id = any ((select programs_shown())::text[])
        )
);

-- What hangs on a concern is seen where its person is or where the concern was worked on, and written
-- where the concern is seen.
alter policy with_concern on alerts using (
    (select all_shown())
    or exists (
        select from people p
        where p.admission_id = alerts.admission_id
            and p.program_id = any ((select programs_shown())::text[])
    )
    or exists (
        select from concerns c
        where c.concern_id = alerts.concern_id
            and c.program_id = any ((select programs_shown())::text[])
    )
) with check (
    (select all_shown())
    or exists (select from concerns c where c.concern_id = alerts.concern_id)
);

alter policy with_concern on outreach using (
    (select all_shown())
    or exists (
        select from people p
        where p.admission_id = outreach.admission_id
            and p.program_id = any ((select programs_shown())::text[])
    )
    or exists (
        select from concerns c
        where c.concern_id = outreach.concern_id
            and c.program_id = any ((select programs_shown())::text[])
    )
) with check (
    (select all_shown())
    or exists (select from concerns c where c.concern_id = outreach.concern_id)
);

alter policy with_concern on outreach_undone using (
    (select all_shown())
    or exists (
        select from people p
        where p.admission_id = outreach_undone.admission_id
            and p.program_id = any ((select programs_shown())::text[])
    )
    or exists (
        select from concerns c
        where c.concern_id = outreach_undone.concern_id
            and c.program_id = any ((select programs_shown())::text[])
    )
) with check (
    (select all_shown())
    or exists (select from concerns c where c.concern_id = outreach_undone.concern_id)
);

alter policy with_concern on firings using (
    (select all_shown())
    or exists (
        select from people p
        where p.admission_id = firings.admission_id
            and p.program_id = any ((select programs_shown())::text[])
    )
    or exists (
        select from concerns c
        where c.concern_id = firings.concern_id
            and c.program_id = any ((select programs_shown())::text[])
    )
) with check (
    (select all_shown())
    or exists (select from concerns c where c.concern_id = firings.concern_id)
);

alter policy with_person on facts using (
    (select all_shown())
    or exists (
        select from people p
        where p.admission_id = facts.admission_id
            and p.program_id = any ((select programs_shown())::text[])
    )
);

alter policy with_person on suppressions using (
    (select all_shown())
    or exists (
        select from people p
        where p.admission_id = suppressions.admission_id
            and p.program_id = any ((select programs_shown())::text[])
    )
);

alter policy with_person on teams using (
    (select all_shown())
    or exists (
        select from people p
        where p.admission_id = teams.admission_id
            and p.program_id = any ((select programs_shown())::text[])
    )
);
