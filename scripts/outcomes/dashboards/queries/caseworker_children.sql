-- The children of the given client ids, with or without their source.
select
    clients.client_id,
    children.last_name,
    children.first_name,
    children.birth_date,
    children.district_id,
    districts.district_name as district,
    coalesce(children.school_name, 'School ' || children.school_code) as school,
    children.grade_label as grade,
    case
        when children.is_enrolled then 'enrolled since ' || children.entered_on
        when children.left_on is not null then 'left on ' || children.left_on
        when children.entered_on is not null then 'not enrolled this school year'
        else 'never attended'
    end as enrollment,
    -- Only what is known can be "none" or "nothing".
    case
        when children.warnings_on is null then 'not reported in that week'
        when warnings.known > 0
            then coalesce(warnings.given, 'none') || coalesce(
                ' (not known: ' || warnings.not_known || ')', ''
            )
        when warnings.not_known is null then 'no threshold for the grade'
        else 'not known: ' || warnings.not_known
    end as warnings,
    case
        when children.warnings_on is null then 'not reported in that week'
        else coalesce(children.new_flags, 'nothing')
    end as new_since_last_delivery,
    (children.school_year - 1) || '–' || right(children.school_year::text, 2)
    || case when children.is_complete_year then '' else ' so far' end as school_year,
    children.days_absent,
    children.days_enrolled,
    to_char(round(100 * children.absence_share_change, 1), 'FMSG990.0 "points"')
        as absent_change_in_four_weeks,
    children.n_moves as moves_in_that_year,
    case
        when children.n_moves is not null then coalesce(children.last_moved_on::text, 'none')
    end as last_move,
    to_char(children.gpa, 'FM0.00') as grade_average,
    children.suspension_days as days_suspended,
    children.responsible_since,
    children.known_through,
    children.student_key,
    children.is_enrolled,
    warnings.given is not null as has_warning
from rpt_caseworker_clients as clients
inner join rpt_caseworker_students as children using (student_key)
inner join dim_districts as districts on children.district_id = districts.district_id
cross join lateral (
    select
        count(has_flag) as known,
        string_agg(warning, ', ' order by position) filter (where has_flag) as given,
        string_agg(warning, ', ' order by position) filter (
            where has_flag is null and coalesce(children.flags_without_threshold, '') !~ flag
        ) as not_known
    from (
        values
        (1, 'attendance', 'attendance', children.has_attendance_flag),
        (2, 'behavior', 'behavior', children.has_behavior_flag),
        (3, 'course', 'courses', children.has_course_flag),
        (4, 'gpa', 'grade average', children.has_gpa_flag)
    ) as kinds (position, flag, warning, has_flag)
) as warnings
where
    clients.client_id = any(%(ids)s)
    or substr(clients.client_id, strpos(clients.client_id, ':') + 1) = any(%(ids)s)
order by children.last_name, children.first_name, clients.client_id
