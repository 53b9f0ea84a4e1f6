with

students as (

    select * from {{ source('raw', 'students') }}

),

deliveries as (

    select * from {{ ref('stg_deliveries') }}

),

student_ids as (

    select * from {{ ref('stg_student_ids') }}

),

code_crosswalk as (

    select * from {{ ref('code_crosswalk') }}

),

-- A student with several spells stands in the roster several times: the last holds.
-- A roster of active students no longer lists one who left: the last that did, holds.
last_lines as (

    select distinct on (
        deliveries.partner_id,
        deliveries.contract_object,
        deliveries.school_year,
        student_ids.district_student_id
    )
        students.*,
        student_ids.district_student_id as student_id,
        deliveries.school_year
    from students
    inner join deliveries on students.load_id = deliveries.load_id
    inner join student_ids
        on
            students.partner_id = student_ids.district_id
            and (students.district_student_id is null) = student_ids.is_state_id
            and coalesce(students.district_student_id, students.state_student_id)
            = student_ids.student_id
    order by
        deliveries.partner_id,
        deliveries.contract_object,
        deliveries.school_year,
        student_ids.district_student_id,
        deliveries.delivery_number desc,
        students.line_number desc

),

-- A district may send the roster and the demographics in different files.
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
        max(homeroom) as homeroom,
        max(school_code) as school_code,
        max(grade) as grade,
        max(gender) as gender,
        max(race) as race,
        max(english_learner) as english_learner,
        max(special_education) as special_education,
        max(primary_disability) as primary_disability,
        max(economic_status) as economic_status,
        max(homeless) as homeless,
        max(home_language) as home_language
    from last_lines
    group by partner_id, student_id, school_year

),

decoded as (

    select
        combined.district_id,
        combined.district_student_id,
        combined.school_year,
        combined.state_student_id,
        combined.last_name,
        combined.first_name,
        combined.middle_name,
        combined.suffix,
        combined.birth_date,
        combined.homeroom,
        combined.school_code,
        cast(grades.code as smallint) as grade,
        genders.code as gender,
        cast(races.code as smallint) as race,
        english_learners.code = 'yes' as is_english_learner,
        special_educations.code as special_education,
        disabilities.code as primary_disability,
        economic_statuses.code as economic_status,
        homeless_flags.code = 'yes' as is_homeless,
        combined.home_language
    from combined
    left join code_crosswalk as grades
        on
            grades.domain = 'grade'
            and combined.district_id = grades.partner_id
            and combined.grade = grades.source_code
    left join code_crosswalk as genders
        on
            genders.domain = 'gender'
            and combined.district_id = genders.partner_id
            and combined.gender = genders.source_code
    left join code_crosswalk as races
        on
            races.domain = 'race'
            and combined.district_id = races.partner_id
            and combined.race = races.source_code
    left join code_crosswalk as english_learners
        on
            english_learners.domain = 'english_learner'
            and combined.district_id = english_learners.partner_id
            and combined.english_learner = english_learners.source_code
    left join code_crosswalk as special_educations
        on
            special_educations.domain = 'special_education'
            and combined.district_id = special_educations.partner_id
            and combined.special_education = special_educations.source_code
    left join code_crosswalk as disabilities
        on
            disabilities.domain = 'disability'
            and combined.district_id = disabilities.partner_id
            and combined.primary_disability = disabilities.source_code
    left join code_crosswalk as economic_statuses
        on
            economic_statuses.domain = 'economic_status'
            and combined.district_id = economic_statuses.partner_id
            and combined.economic_status = economic_statuses.source_code
    left join code_crosswalk as homeless_flags
        on
            homeless_flags.domain = 'yes_no'
            and combined.district_id = homeless_flags.partner_id
            and combined.homeless = homeless_flags.source_code

)

select * from decoded
