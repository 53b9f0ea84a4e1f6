-- How many first days of a year, a month, … lie between the two.
select
    case unit
        when 'year' then extract(year from ends_at) - extract(year from starts_at)
        when 'quarter'
            then 4 * (extract(year from ends_at) - extract(year from starts_at))
            + extract(quarter from ends_at) - extract(quarter from starts_at)
        when 'month'
            then 12 * (extract(year from ends_at) - extract(year from starts_at))
            + extract(month from ends_at) - extract(month from starts_at)
        when 'week'
            then (date_trunc('week', ends_at)::date - date_trunc('week', starts_at)::date) / 7
        when 'day' then ends_at::date - starts_at::date
    end::integer
