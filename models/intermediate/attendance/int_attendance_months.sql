with

enrollment_calendars as (

    select * from {{ ref('int_enrollment_calendars') }}

),

absence_calendars as (

    select * from {{ ref('int_absence_calendars') }}

),

days_known as (

    select * from {{ ref('int_days_known') }}

),

attendance_totals as (

    select * from {{ ref('int_attendance_totals_accepted') }}
    where is_possible

),

-- The months of a school year, each with the position of its first day and its length.
months as (

    select
        school_years.school_year,
        cast(months.month as date) as month,
        cast(months.month as date) - make_date(school_years.school_year - 1, 7, 1) + 1
            as first_day,
        cast(months.month + interval '1 month' as date) - cast(months.month as date)
            as days
    from (select distinct school_year from enrollment_calendars) as school_years
    cross join lateral generate_series(
        make_date(school_years.school_year - 1, 7, 1),
        make_date(school_years.school_year, 6, 1),
        interval '1 month'
    ) as months (month)

),

enrolled_months as (

    select
        enrollment_calendars.district_id,
        enrollment_calendars.district_student_id,
        enrollment_calendars.school_year,
        months.month,
        bit_count(
            substring(
                enrollment_calendars.enrolled_days from months.first_day for months.days
            )
        ) as days_enrolled
    from enrollment_calendars
    inner join months using (school_year)

),

absences_by_month as (

    select
        absence_calendars.district_id,
        absence_calendars.district_student_id,
        absence_calendars.school_year,
        months.month,
        absence_calendars.is_excused,
        absence_calendars.day_fraction * bit_count(
            substring(
                absence_calendars.absent_days from months.first_day for months.days
            )
        ) as days_absent
    from absence_calendars
    inner join months using (school_year)

),

absent_months as (

    select
        district_id,
        district_student_id,
        school_year,
        month,
        sum(days_absent) filter (where is_excused) as days_absent_excused,
        sum(days_absent) filter (where not is_excused) as days_absent_unexcused
    from absences_by_month
    where days_absent > 0
    group by district_id, district_student_id, school_year, month

),

-- No absence on record is none only where absences are sent.
counted_months as (

    select
        enrolled_months.district_id,
        enrolled_months.district_student_id,
        enrolled_months.school_year,
        enrolled_months.month,
        enrolled_months.days_enrolled,
        case
            when days_known.has_absences
                then coalesce(absent_months.days_absent_excused, 0)
        end as days_absent_excused,
        case
            when days_known.has_absences
                then coalesce(absent_months.days_absent_unexcused, 0)
        end as days_absent_unexcused
    from enrolled_months
    inner join days_known using (district_id, district_student_id, school_year)
    left join absent_months using (district_id, district_student_id, school_year, month)
    where
        enrolled_months.days_enrolled > 0
        and days_known.has_days

),

reported_months as (

    select
        district_id,
        district_student_id,
        school_year,
        month,
        days_enrolled,
        days_absent_excused,
        days_absent_unexcused
    from attendance_totals

),

attendance_months as (

    select * from counted_months
    union all
    select * from reported_months

),

typed as (

    select
        district_id,
        district_student_id,
        school_year,
        month,
        cast(days_enrolled as integer) as days_enrolled,
        cast(days_absent_excused as numeric(6, 2)) as days_absent_excused,
        cast(days_absent_unexcused as numeric(6, 2)) as days_absent_unexcused
    from attendance_months

)

select * from typed
