select distinct nspname::text
from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid
where
    relkind = 'r'
    and nspname not like 'pg\_%%' and nspname <> 'information_schema'
    and has_schema_privilege(%(role)s, nspname, 'usage')
    and has_table_privilege(%(role)s, pg_class.oid, 'select')
order by 1
