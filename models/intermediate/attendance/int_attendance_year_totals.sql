with

year_totals as (

    select * from {{ ref('int_attendance_year_totals_accepted') }}

),

spells as (

    select * from {{ ref('int_enrollment_spells') }}
    where not is_no_show

),

-- A row that was sent again under another calendar or district has the same days.
numbered_rows as (

    select
        *,
        row_number() over (
            partition by
                district_id,
                district_student_id,
                school_year,
                days_enrolled,
                days_present
            order by line_number
        ) as copy_number
    from year_totals

),

students as (

    select
        district_id,
        district_student_id,
        school_year,
        min(contract_object) as contract_object,
        min(student_id) as student_id,
        max(as_of_date) as as_of_date,
        sum(days_enrolled) as days_enrolled,
        sum(days_present) as days_present,
        sum(days_enrolled) filter (where copy_number = 1) as days_enrolled_once,
        sum(days_present) filter (where copy_number = 1) as days_present_once,
        count(*) filter (where copy_number > 1) as copies,
        bool_and(days_present <= days_enrolled) as is_enrolled_when_present
    from numbered_rows
    group by district_id, district_student_id, school_year

),

-- No student is enrolled on more days than school was in session.
days_in_session as (

    select
        district_id,
        school_year,
        max(days_enrolled) as days_in_session
    from year_totals
    group by district_id, school_year

),

-- Nor on more than the weekdays of the student's spells so far.
spells_so_far as (

    select
        students.district_id,
        students.district_student_id,
        students.school_year,
        greatest(spells.entry_date, make_date(students.school_year - 1, 7, 1))
            as first_day,
        least(
            spells.exit_date,
            students.as_of_date,
            make_date(students.school_year, 6, 30)
        ) as last_day
    from students
    inner join spells using (district_id, district_student_id, school_year)

),

weekdays as (

    select
        district_id,
        district_student_id,
        school_year,
        sum({{ function('weekdays_between') }}(first_day, last_day)) as weekdays
    from spells_so_far
    where first_day <= last_day
    group by district_id, district_student_id, school_year

),

compared as (

    select
        students.*,
        least(days_in_session.days_in_session, weekdays.weekdays) as days_possible
    from students
    inner join days_in_session using (district_id, school_year)
    left join weekdays using (district_id, district_student_id, school_year)

),

counted as (

    select
        district_id,
        district_student_id,
        school_year,
        contract_object,
        student_id,
        as_of_date,
        is_enrolled_when_present,
        days_possible,
        case when days_enrolled > days_possible then copies else 0 end as rows_left_out,
        case
            when days_enrolled > days_possible then days_enrolled_once
            else days_enrolled
        end as days_enrolled,
        case
            when days_enrolled > days_possible then days_present_once
            else days_present
        end as days_present
    from compared

),

checked as (

    select
        district_id,
        district_student_id,
        school_year,
        contract_object,
        student_id,
        as_of_date,
        rows_left_out,
        cast(round(days_enrolled) as integer) as days_enrolled,
        cast(days_enrolled - days_present as numeric(6, 2)) as days_absent,
        is_enrolled_when_present and days_enrolled <= days_possible as is_possible
    from counted

)

select * from checked
