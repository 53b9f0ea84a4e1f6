-- Students with services who have a warning that the last delivery did not have.
select
    districts.district_name as district,
    coalesce(schools.school_name, 'School ' || warnings.school_code) as school,
    warnings.grade_label as grade,
    warnings.new_flags as new_since_last_delivery,
    to_char(100 * warnings.absence_share, 'FM990.0 "%%"') as absent,
    years.involved_concurrent as services_this_year,
    (
        select string_agg(distinct kinds.program_group_label, ', ')
        from fct_student_year_involvements as kinds
        where
            kinds.student_key = warnings.student_key
            and kinds.school_year = warnings.school_year
            and kinds.involved_ever
    ) as services_ever,
    warnings.student_key as student_pseudonym
from rpt_early_warnings as warnings
inner join fct_student_years as years using (student_key, school_year)
inner join dim_districts as districts on warnings.district_id = districts.district_id
left join dim_schools as schools
    on
        warnings.district_id = schools.district_id
        and warnings.school_code = schools.school_code
where years.involved_ever and warnings.new_flags is not null
order by district, school, grade, student_pseudonym
