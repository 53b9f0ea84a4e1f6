select
    'table', nspname, relname, null
from pg_class
inner join pg_namespace on relnamespace = pg_namespace.oid
where nspname = any(%(schemas)s) and relkind in ('r', 'v', 'm', 'p')
    and relowner <> to_regrole(quote_ident(%(owner)s))
union all
select
    'routine', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid)
from pg_proc
inner join pg_namespace on pronamespace = pg_namespace.oid
where nspname = any(%(schemas)s) and proowner <> to_regrole(quote_ident(%(owner)s))
