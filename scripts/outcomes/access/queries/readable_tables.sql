select
    nspname || '.' || relname as table_name,
    trim(obj_description(pg_class.oid, 'pg_class')) as description
from pg_class
inner join pg_namespace on relnamespace = pg_namespace.oid
where
    relkind in ('r', 'p', 'v', 'm')
    and obj_description(pg_class.oid, 'pg_class') is not null
    -- Schemas of an unpublished build and of the previous publication.
    and nspname !~ '^(next|previous)_'
    and has_schema_privilege(pg_namespace.oid, 'usage')
    and has_table_privilege(pg_class.oid, 'select')
order by 1
