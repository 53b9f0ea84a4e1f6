with built as (
    select oid, nspowner from pg_namespace
    where nspname = any(%(schemas)s) or nspname like 'district\_%%'
),

owners as (
    select nspowner as owner from built
    union
    select relowner from built inner join pg_class on relnamespace = built.oid
    where relkind in ('r', 'v', 'm', 'p')
)

select pg_get_userbyid(owner) from owners
where not pg_has_role(%(acting)s, owner, 'usage')
order by 1
