-- The record of disclosures (34 CFR 99.32). Replaced by every upgrade that finds another text.

-- Record which roles may read which district's students: one row per district, role, and
-- relation with rows about single students that the role reads, published or not. Views are left
-- out: they show only what their reader may read anyway.
create or replace function privacy.record_disclosures(this_run_id text)
returns void
language plpgsql set search_path = '' as $$
begin
    with parties as (
        select
            pg_roles.oid as role_id,
            pg_roles.rolname as party,
            access_purposes.interest,
            access_purposes.purpose
        from pg_roles
        inner join policy.access_purposes
            on access_purposes.role
            = regexp_replace(pg_roles.rolname, '^(outcomes_district)_.*', '\1')
    ),

    -- Once per relation, because counting takes longer than all the rest.
    readable as (
        select
            pg_class.oid::regclass as relation,
            array_agg(parties.role_id) as role_ids
        from pg_class
        cross join parties
        where
            pg_class.relkind = 'r'
            and privacy.is_about_students(pg_class.oid::regclass)
            and has_schema_privilege(parties.role_id, pg_class.relnamespace, 'usage')
            and has_table_privilege(parties.role_id, pg_class.oid, 'select')
            -- Somebody may have granted a table that nobody else can read.
            and has_schema_privilege(pg_class.relnamespace, 'usage')
            and has_table_privilege(pg_class.oid, 'select')
        group by pg_class.oid
    )

    insert into privacy.disclosures (
        partner_id, agreement, party, interest, purpose, disclosed, run_id, row_count
    )
    select
        found.district_id,
        privacy.agreement_of(found.district_id),
        parties.party,
        parties.interest,
        parties.purpose,
        readable.relation::text,
        this_run_id,
        found.row_count
    from readable
    cross join privacy.rows_by_district(readable.relation) as found
    inner join parties on parties.role_id = any(readable.role_ids);
end
$$;

-- Whether a relation has rows about single students or clients: it has an id, a key, a pseudonym
-- or the name of one.
create or replace function privacy.is_about_students(relation regclass)
returns boolean
language sql stable set search_path = '' as $$
    select exists (
        select from pg_attribute
        where
            attrelid = relation
            and attnum > 0
            and attname ~ (
                '(^|_)(student_keys?|student_ids?|person_id|client_id|identity_id|record_id'
                '|record_key|pseudonym)$|^(last_name|birth_date)$'
            )
    )
$$;

-- The number of a relation's rows about each district's students. A row that does not say
-- whose student it is counts for every district that has students.
create or replace function privacy.rows_by_district(relation regclass)
returns table (district_id text, row_count bigint)
language plpgsql stable set search_path = '' as $$
declare
    of_district constant text := (
        select
            coalesce(
                string_agg(format('counted.%I', attname), ', ')
                filter (where attname ~ '(^|_)(district_id|partner_id)$'),
                string_agg(format($sql$split_part(counted.%I, ':', 1)$sql$, attname), ', ')
                filter (where attname ~ '(^|_)student_key$')
            )
        from pg_attribute
        where attrelid = relation and attnum > 0 and atttypid = 'text'::regtype
    );
    -- Read before: a cluster joins its own tables in another session, which does not see what
    -- this transaction publishes.
    of_students constant text [] := array(
        select distinct dim_students.district_id from marts.dim_students
    );
begin
    return query execute format(
        $sql$
        with districts as (
            select unnest($1) as district_id
        ),

        grouped as (
            select
                array[%s]::text [] as names,
                count(*) as row_count
            from %s as counted
            group by 1
        ),

        attributed as (
            select
                array(
                    select districts.district_id from districts
                    where districts.district_id = any(grouped.names)
                ) as of_districts,
                grouped.row_count
            from grouped
        )

        select districts.district_id, sum(attributed.row_count)::bigint
        from attributed
        inner join districts
            on
                districts.district_id = any(attributed.of_districts)
                or attributed.of_districts = '{}'
        group by districts.district_id
        $sql$,
        of_district, relation
    )
    using of_students;
end
$$;

-- The agreement with a partner, in words.
create or replace function privacy.agreement_of(this_partner_id text)
returns text
language sql stable set search_path = '' as $$
    select
        coalesce(
            min(
                format(
                    '%s, contract %s, %s to %s', partner_name, contract_version,
                    agreement_starts_on, agreement_ends_on
                )
            ),
            'no contract'
        )
    from landing.partners
    where partner_id = this_partner_id
$$;
