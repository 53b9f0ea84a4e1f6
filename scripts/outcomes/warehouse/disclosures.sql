-- The record of disclosures (34 CFR 99.32). Idempotent; applied together with the ledger.

-- Record which roles may read which district's students: one row per relation of a run with
-- rows about students, and role that reads it.
create or replace function landing.record_disclosures(this_run_id text)
returns void
language plpgsql set search_path = '' as $$
declare
    made record;
begin
    for made in
        select
            format('%I.%I', relations.schema_name, relations.relation) as name,
            pg_roles.rolname as party,
            access_purposes.interest,
            access_purposes.purpose
        from landing.run_relations as relations
        inner join pg_roles on pg_roles.rolname = any(relations.readers)
        inner join policy.access_purposes as access_purposes
            on access_purposes.role
            = regexp_replace(pg_roles.rolname, '^(outcomes_district)_.*', '\1')
        where
            relations.run_id = this_run_id
            and 2 = (
                select count(*) from pg_attribute
                where
                    attrelid = format('%I.%I', schema_name, relation)::regclass
                    and attname in ('district_id', 'district_student_id')
            )
    loop
        execute format(
            $sql$
            insert into landing.disclosures (
                partner_id, agreement, party, interest, purpose, disclosed, run_id, row_count
            )
            select district_id, landing.agreement_of(district_id), $1, $2, $3, $4, $5, count(*)
            from %s
            group by district_id
            $sql$,
            made.name
        )
        using made.party, made.interest, made.purpose, made.name, this_run_id;
    end loop;
end
$$;

-- The agreement with a partner, in words.
create or replace function landing.agreement_of(this_partner_id text)
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
