-- A rewritten table keeps deleted rows that an open snapshot may still see. The statement's own
-- transaction is later than those that deleted, and an older one ages the snapshots of others.
do $$
declare
    reader text;
begin
    perform pg_current_xact_id();
    for second in 0..patience loop
        perform pg_stat_clear_snapshot();
        reader := (
            select format('process %s (%s)', pid, coalesce(usename, backend_type))
            from pg_stat_activity
            where
                pid <> pg_backend_pid()
                and (
                    age(backend_xid) > 0
                    or (datname = current_database() or datname is null)
                    and age(backend_xmin) > 0
                )
            order by xact_start
            limit 1
        );
        exit when reader is null;
        perform pg_sleep(1);
    end loop;
    if reader is not null then
        raise exception '% still reads', reader;
    end if;
end
$$
