with objects as (
    select
        'database' as kind, array[datname::text] as name, '' as columns,
        -- Without an explicit grant everybody may connect to a database.
        coalesce(datacl, acldefault('d', datdba)) as acl
    from pg_database where datname = current_database()
    union all
    select 'schema', array[nspname::text], '', nspacl from pg_namespace
    where nspname = any(%(schemas)s) or nspname = any(%(ledger)s)
    union all
    select
        case relkind when 'S' then 'sequence' else 'table' end,
        array[nspname::text, relname::text], '', relacl
    from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid
    where nspname = any(%(ledger)s) and relkind in ('r', 'S')
    union all
    select 'table', array[nspname::text, relname::text], format(' (%%I)', attname), attacl
    from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid
    inner join pg_attribute on attrelid = pg_class.oid
    where nspname = any(%(ledger)s) and relkind = 'r'
)
select
    case when grantee = 0 then 'public' else pg_get_userbyid(grantee)::text end as role,
    lower(privilege_type) || columns, kind, objects.name, is_grantable
from objects cross join aclexplode(acl)
