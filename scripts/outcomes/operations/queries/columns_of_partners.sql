select nspname, relname, array_agg(attname::text)
from pg_class
inner join pg_namespace on relnamespace = pg_namespace.oid
inner join pg_attribute on attrelid = pg_class.oid and not attisdropped
where
    relkind in ('r', 'm')
    and nspname not like 'pg\_%%' and nspname <> 'information_schema'
    and nspname <> all(%s)
    and relname <> all(%s)
    and attname in (
        'partner_id', 'district_id', 'other_partner_id', 'from_district_id',
        'student_key', 'other_record_key'
    )
    and atttypid = 'text'::regtype
group by nspname, relname
order by nspname, relname
