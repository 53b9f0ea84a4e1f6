select coalesce(max(rolname), current_user) from pg_roles
where
    rolname = %(builder)s
    and pg_has_role(oid, 'set')
    and has_database_privilege(oid, current_database(), 'create')
    and not exists (select from pg_extension where extname = 'citus')
