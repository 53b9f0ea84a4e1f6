with

attendance_calendars as (

    select * from {{ ref('int_attendance_calendars') }}

),

attendance_categories as (

    select * from {{ ref('attendance_categories') }}

),

enrollment_calendars as (

    select * from {{ ref('int_enrollment_calendars') }}

),

-- The seed decides whether a category is an absence and is excused. Where it leaves
-- that open, the row's own flags decide.
absences as (

    select
        attendance_calendars.district_id,
        attendance_calendars.district_student_id,
        attendance_calendars.school_year,
        cast(
            coalesce(
                attendance_categories.day_fraction,
                attendance_calendars.day_fraction,
                1
            ) as numeric(3, 2)
        ) as day_fraction,
        coalesce(
            attendance_categories.is_excused, attendance_calendars.is_excused, false
        ) as is_excused,
        attendance_calendars.reported_days
    from attendance_calendars
    inner join attendance_categories using (category)
    where attendance_categories.is_absence

),

enrolled_absences as (

    select
        absences.district_id,
        absences.district_student_id,
        absences.school_year,
        absences.day_fraction,
        absences.is_excused,
        bit_or(absences.reported_days & enrollment_calendars.enrolled_days) as days
    from absences
    inner join enrollment_calendars
        using (district_id, district_student_id, school_year)
    group by
        absences.district_id,
        absences.district_student_id,
        absences.school_year,
        absences.day_fraction,
        absences.is_excused

),

-- Of several absences on a day, the largest counts; of equal ones, the excused.
absence_calendars as (

    select
        district_id,
        district_student_id,
        school_year,
        day_fraction,
        is_excused,
        days & ~coalesce(
            bit_or(days) over (
                partition by district_id, district_student_id, school_year
                order by day_fraction desc, is_excused desc
                rows between unbounded preceding and 1 preceding
            ),
            cast(repeat('0', 366) as bit(366))
        ) as absent_days
    from enrolled_absences

),

days_that_count as (

    select * from absence_calendars
    where bit_count(absent_days) > 0

)

select * from days_that_count
