with may_connect as (
    select grantee
    from pg_database cross join aclexplode(datacl)
    where datname = current_database() and privilege_type = 'CONNECT'
)
select logins.rolname
from pg_roles as logins
where
    logins.rolcanlogin and not logins.rolsuper
    and logins.oid not in (select grantee from may_connect)
    and exists (
        select from pg_roles as roles
        inner join may_connect on roles.oid = may_connect.grantee
        where roles.rolname = any(%s) and pg_has_role(logins.oid, roles.oid, 'member')
    )
order by 1
