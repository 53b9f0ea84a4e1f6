-- The roles of the warehouse that the login may take.
select rolname
from pg_roles
where rolname like 'outcomes\_%' and pg_has_role(oid, 'set')
order by rolname
