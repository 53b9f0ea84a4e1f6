select
    count(*) as students,
    count(has_warning) as known,
    count(*) filter (where has_warning) as warned,
    count(*) filter (where new_flags is not null) as new,
    min(week_ends_on) as first_week,
    max(week_ends_on) as last_week
from rpt_early_warnings
where
    is_latest_week
    and %(district)s in ('all', district_id)
    and %(school)s in ('all', district_id || ':' || school_code)
