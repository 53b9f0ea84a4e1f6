-- A hash of the key of the pseudonyms, to notice another key (landing.key_fingerprint). Earlier
-- runs had the warehouse's own key, as long as that is in force.
alter table landing.runs add column key_fingerprint text;
update landing.runs
set key_fingerprint = (
    select encode(sha256(convert_to('fingerprint', 'UTF8') || key), 'hex')
    from landing.pseudonym_key
    where not is_in_environment
)
where status = 'published';

-- The row counts of `publications` told readers about relations of others.
do $$
declare
    published regclass;
begin
    for published in
        select attrelid::regclass
        from (select distinct schema_name from landing.run_relations) as schemas
        inner join pg_attribute
            on attrelid = to_regclass(format('%I.publications', schema_name))
            and attname = 'row_count'
    loop
        execute format('alter table %s drop column row_count', published);
    end loop;
end
$$;
