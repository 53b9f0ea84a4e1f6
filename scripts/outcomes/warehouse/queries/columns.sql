select
    nspname || '.' || relname,
    attname::text,
    format_type(atttypid, atttypmod)
from pg_attribute
inner join pg_class on attrelid = pg_class.oid
inner join pg_namespace on relnamespace = pg_namespace.oid
where
    nspname = any(%s)
    and relkind = 'r' and attnum > 0 and not attisdropped
order by 1, attnum
