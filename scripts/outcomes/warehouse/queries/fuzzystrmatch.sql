select
    exists (select from pg_available_extensions where name = 'fuzzystrmatch'),
    (
        select nspname
        from pg_extension inner join pg_namespace on extnamespace = pg_namespace.oid
        where extname = 'fuzzystrmatch'
    ),
    has_schema_privilege(to_regnamespace('public'), 'usage')
