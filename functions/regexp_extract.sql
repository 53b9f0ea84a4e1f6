-- The empty text where nothing matches, as DuckDB has it.
select
    case
        when value is not null
            then coalesce(
                (regexp_match(value, '(' || pattern || ')'))[group_number + 1], ''
            )
    end
