-- Every band, the lowest share first, also if nobody is in it.
with

latest as (

    select
        school_year,
        1 - absence_share as attendance_rate
    from rpt_early_warnings
    where
        is_latest_week
        and %(district)s in ('all', district_id)
        and %(school)s in ('all', district_id || ':' || school_code)
),

counted as (

    select
        bands.band_label as days_absent_so_far,
        max(bands.rate_up_to) as rate_up_to,
        count(latest.*) as students
    from attendance_bands as bands
    left join latest
        on
            coalesce(bands.rate_above, -1) < latest.attendance_rate
            and coalesce(bands.rate_up_to, 1) >= latest.attendance_rate
            and latest.school_year
            between coalesce(bands.first_school_year, 0)
            and coalesce(bands.last_school_year, 9999)
    group by bands.band_label
    union all
    select
        'not known' as days_absent_so_far,
        -1 as rate_up_to,
        count(*) filter (where attendance_rate is null) as students
    from latest
)

select
    days_absent_so_far,
    students
from counted
order by coalesce(rate_up_to, 1) desc
