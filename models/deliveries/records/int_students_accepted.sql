with

students as (

    select * from {{ ref('stg_students') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

rival_objects as (

    select * from {{ ref('int_rival_objects') }}
    where feed = 'students'

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

-- The last roster line of a student wins: students with several spells have several
-- lines, and a roster of active students drops those who left.
last_roster_lines as (

    select distinct on (
        deliveries.partner_id,
        deliveries.contract_object,
        deliveries.school_year,
        student_ids.district_student_id
    )
        students.*,
        student_ids.district_student_id as student_id,
        deliveries.contract_object,
        deliveries.school_year,
        deliveries.as_of_date as delivered_on
    from students
    inner join deliveries on students.load_id = deliveries.load_id
    {{ join_student_ids('students') }}
    order by
        deliveries.partner_id,
        deliveries.contract_object,
        deliveries.school_year,
        student_ids.district_student_id,
        deliveries.delivery_number desc,
        students.line_number desc

),

-- A line gives way to a newer one of an object that took the place of its own.
lines_in_force as (

    select last_roster_lines.*
    from last_roster_lines
    where
        not exists (
            select from rival_objects
            inner join last_roster_lines as rivals
                on
                    rival_objects.partner_id = rivals.partner_id
                    and rival_objects.rival_object = rivals.contract_object
            where
                last_roster_lines.partner_id = rival_objects.partner_id
                and last_roster_lines.contract_object = rival_objects.contract_object
                and last_roster_lines.student_id = rivals.student_id
                and {{ same_or_any(
                    'last_roster_lines.school_year', 'rivals.school_year'
                ) }}
                and (
                    last_roster_lines.delivered_on < rivals.delivered_on
                    or (
                        last_roster_lines.delivered_on = rivals.delivered_on
                        and rival_objects.rival_wins_a_tie
                    )
                )
        )

),

-- Some districts send the roster and the demographics in separate files.
combined as (

    select
        partner_id as district_id,
        student_id as district_student_id,
        school_year,
        max(state_student_id) as state_student_id,
        max(last_name) as last_name,
        max(first_name) as first_name,
        max(middle_name) as middle_name,
        max(suffix) as suffix,
        max(birth_date) as birth_date,
        max(school_code) as school_code,
        max(grade) as grade,
        max(gender) as gender,
        max(race) as race,
        bool_or(is_english_learner) as is_english_learner,
        max(special_education) as special_education,
        max(primary_disability) as primary_disability,
        max(economic_status) as economic_status,
        bool_or(is_homeless) as is_homeless,
        max(home_language) as home_language,
        max(homeroom) as homeroom,
        max(graduation_status) as graduation_status,
        max(post_school_plan) as post_school_plan
    from lines_in_force
    group by partner_id, student_id, school_year

)

select * from combined
