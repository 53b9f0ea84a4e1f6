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
    -- Only what is known can be "none".
    case
        when
            num_nulls(
                children.has_attendance_flag, children.has_behavior_flag,
                children.has_course_flag, children.has_gpa_flag
            ) < 4
            then
                coalesce(
                    nullif(
                        concat_ws(
                            ', ',
                            case when children.has_attendance_flag then 'attendance' end,
                            case when children.has_behavior_flag then 'behavior' end,
                            case when children.has_course_flag then 'courses' end,
                            case when children.has_gpa_flag then 'grade average' end
                        ), ''
                    ), 'none'
                )
    end as warnings,
    coalesce(children.new_flags, 'nothing') as new_since_last_delivery,
    children.days_absent,
    children.days_enrolled,
    to_char(100 * children.absence_share_change, 'FMSG990.0 "points"')
        as absent_change_in_four_weeks,
    children.n_moves as moves_this_school_year,
    coalesce(children.last_moved_on::text, 'none') as last_move,
    to_char(children.gpa, 'FM0.00') as grade_average,
    children.suspension_days as days_suspended,
    children.responsible_since,
    children.known_through
from rpt_caseworker_clients as clients
inner join rpt_caseworker_students as children using (student_key)
inner join dim_districts as districts on children.district_id = districts.district_id
where
    clients.client_id = any(%(ids)s)
    or split_part(clients.client_id, ':', 2) = any(%(ids)s)
order by children.last_name, children.first_name, clients.client_id
