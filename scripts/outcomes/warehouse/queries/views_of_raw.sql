select distinct format('%%I.%%I', nspname, relname)
from pg_depend
inner join pg_rewrite on pg_depend.objid = pg_rewrite.oid
inner join pg_class on pg_rewrite.ev_class = pg_class.oid
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
where pg_depend.refobjid = to_regclass(%s) and nspname = 'staging'
