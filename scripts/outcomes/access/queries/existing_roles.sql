select
    rolname,
    rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls,
    rolcanlogin,
    shobj_description(oid, 'pg_authid')
from pg_roles
where rolname = any(%s)
