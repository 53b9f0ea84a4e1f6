-- Joined files. Replaced by every upgrade that finds another text.

-- Deletes the rows that were made of a joined file, to join again after a late file of an
-- earlier delivery. Landing has no other right to delete rows.
create or replace function landing.take_back_joined(joined_file bigint) returns void
language plpgsql security definer set search_path = '' as $$
declare
    feed text;
begin
    for feed in select tablename from pg_catalog.pg_tables where schemaname = 'raw' loop
        execute format(
            'delete from raw.%I where load_id = $1 '
            -- A cluster cannot send its workers a subquery without columns.
            'and $1 in (select file_id from landing.joined_rows)', feed
        ) using joined_file;
    end loop;
    delete from landing.value_issues where file_id = joined_file and is_of_join;
    delete from landing.rejected_rows where file_id = joined_file and is_of_join;
end
$$;
-- It deletes with its owner's rights, so only landing may call it.
revoke execute on function landing.take_back_joined (bigint) from public;
