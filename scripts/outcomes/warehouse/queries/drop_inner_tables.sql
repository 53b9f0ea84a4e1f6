select
    format(
        'drop %s if exists %I.%I cascade',
        case relkind when 'v' then 'view' else 'table' end, nspname, relname
    )
from pg_class
inner join pg_namespace on relnamespace = pg_namespace.oid
where
    relkind in ('r', 'v')
    and (
        nspname in ('staging', 'deliveries', 'intermediate', 'analysis')
        or (nspname = 'identity' and (relpersistence = 'u' or relkind = 'v'))
    )
union all
select format('drop schema %I cascade', nspname) from pg_namespace
where nspname like 'next\_%'
