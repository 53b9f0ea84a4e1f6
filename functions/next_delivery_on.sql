-- A late delivery does not move the next agreed day.
select
    cast(delivered_on + delivery_interval as date)
    - coalesce(
        (
            cast(extract(isodow from delivered_on + delivery_interval) as integer)
            - delivery_weekday + 7
        ) % 7,
        0
    )
