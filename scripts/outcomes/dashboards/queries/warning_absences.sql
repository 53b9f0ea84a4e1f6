-- Every band, in its order, also if nobody is in it. 10 %% is the federal line.
with

bands (position, days_absent_so_far, from_share, below) as (

    values
    (1, 'under 5 %%', 0, 0.05),
    (2, '5 %% to under 10 %%', 0.05, 0.1),
    (3, '10 %% to under 20 %% (chronic)', 0.1, 0.2),
    (4, '20 %% and more (severe)', 0.2, 2),
    (5, 'not known', null, null)
),

latest as (

    select absence_share
    from rpt_early_warnings
    where
        is_latest_week
        and %(district)s in ('all', district_id)
        and %(school)s in ('all', district_id || ':' || school_code)
)

select
    days_absent_so_far,
    count(latest.*) as students
from bands
left join latest
    on
        (latest.absence_share >= bands.from_share and latest.absence_share < bands.below)
        or (latest.absence_share is null and bands.from_share is null)
group by position, days_absent_so_far
order by position
