with

year_totals as (

    select * from {{ ref('int_attendance_year_totals') }}

),

days_known as (

    select * from {{ ref('int_days_known') }}

),

counted as (

    select * from {{ ref('int_attendance_years') }}

),

student_mentions as (

    select * from {{ ref('int_student_mentions') }}
    where feed = 'enrollments'

),

findings as (

    select
        'sent_twice' as reason_code,
        rows_left_out as rows_affected,
        year_totals.*
    from year_totals
    where rows_left_out > 0
    union all
    select
        'impossible_days' as reason_code,
        1 as rows_affected,
        year_totals.*
    from year_totals
    where not is_possible
    union all
    select
        'days_differ_from_totals' as reason_code,
        1 as rows_affected,
        year_totals.*
    from year_totals
    inner join days_known using (district_id, district_student_id, school_year)
    left join counted using (district_id, district_student_id, school_year)
    where
        days_known.has_absences
        and (year_totals.days_enrolled, year_totals.days_absent)
        is distinct from (
            coalesce(counted.days_enrolled, 0), coalesce(counted.days_absent, 0)
        )

),

contradicting_days as (

    select
        reason_code,
        district_id as partner_id,
        contract_object,
        school_year,
        student_id as record_id,
        as_of_date,
        rows_affected,
        null as missing_from
    from findings
    union all
    select
        'days_not_reported' as reason_code,
        student_mentions.district_id as partner_id,
        student_mentions.contract_object,
        student_mentions.school_year,
        student_mentions.student_id as record_id,
        student_mentions.as_of_date,
        student_mentions.rows_affected,
        null as missing_from
    from student_mentions
    inner join days_known using (district_id, district_student_id, school_year)
    where days_known.lacks_totals

)

select * from contradicting_days
