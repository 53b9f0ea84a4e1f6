-- One typo leaves at least two of year, month and day unchanged.
select
    cast(date_part('year', one) = date_part('year', other) as integer)
    + cast(date_part('month', one) = date_part('month', other) as integer)
    + cast(date_part('day', one) = date_part('day', other) as integer)
    >= 2
