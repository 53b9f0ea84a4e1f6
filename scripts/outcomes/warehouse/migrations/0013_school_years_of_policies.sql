-- Until the next build, the dashboards read the seeds that the last one loaded.
do $$
declare
    seed text;
begin
    for seed in
        select table_name from information_schema.columns
        where table_schema = 'policy' and column_name = 'valid_from_school_year'
    loop
        execute format(
            'alter table policy.%I rename valid_from_school_year to first_school_year', seed
        );
        execute format(
            'alter table policy.%I rename valid_to_school_year to last_school_year', seed
        );
    end loop;
end
$$;
