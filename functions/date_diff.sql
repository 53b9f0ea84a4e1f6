-- How many first days of a year, a month, … lie between the two.
select
    case unit
        when 'year' then years
        when 'quarter' then 4 * years + quarters
        when 'month' then 12 * years + months
        when 'day' then days
    end
from (
    select
        cast(
            extract(year from ends_at) - extract(year from starts_at) as integer
        ) as years,
        cast(
            extract(quarter from ends_at) - extract(quarter from starts_at) as integer
        ) as quarters,
        cast(
            extract(month from ends_at) - extract(month from starts_at) as integer
        ) as months,
        cast(ends_at as date) - cast(starts_at as date) as days
) as differences
