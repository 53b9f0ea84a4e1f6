with

codes as (

    select * from {{ ref('codes') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

outcomes as (

    select * from {{ ref('int_student_year_outcomes') }}

),

promise_statuses as (

    select * from {{ ref('int_promise_statuses') }}

),

student_persons as (

    select * from {{ ref('int_student_persons') }}

),

involvements as (

    select * from {{ ref('int_student_year_involvements') }}

),

any_involvement as (

    select
        district_id,
        district_student_id,
        school_year,
        bool_or(involved_ever) as involved_ever,
        bool_or(involved_prior_year) as involved_prior_year,
        bool_or(involved_concurrent) as involved_concurrent
    from involvements
    group by district_id, district_student_id, school_year

),

student_years as (

    select
        {{ student_key('outcomes') }} as student_key,
        student_persons.person_id,
        outcomes.district_id,
        outcomes.district_student_id,
        outcomes.school_year,
        district_years.known_through,
        district_years.is_complete_year,
        outcomes.school_code,
        outcomes.grade,
        grades.label as grade_label,
        outcomes.gender,
        outcomes.race,
        races.label as race_label,
        outcomes.is_english_learner,
        outcomes.special_education,
        outcomes.economic_status,
        cast(outcomes.days_enrolled as integer) as days_enrolled,
        cast(outcomes.days_absent as numeric(6, 2)) as days_absent,
        cast(outcomes.days_absent_excused as numeric(6, 2)) as days_absent_excused,
        cast(outcomes.days_absent_unexcused as numeric(6, 2)) as days_absent_unexcused,
        outcomes.attendance_rate,
        outcomes.is_chronically_absent_pde,
        outcomes.is_chronically_absent_federal,
        outcomes.is_regular_attender,
        cast(outcomes.gpa as numeric(5, 4)) as gpa,
        outcomes.pssa_math_level,
        outcomes.pssa_reading_level,
        outcomes.is_proficient_math,
        outcomes.is_proficient_reading,
        cast(outcomes.suspension_days as numeric(6, 2)) as suspension_days,
        coalesce(promise_statuses.promise_status, 'not_applicable') as promise_status,
        promise_statuses.history_is_complete as promise_history_is_complete,
        any_involvement.involved_ever,
        any_involvement.involved_prior_year,
        any_involvement.involved_concurrent
    from outcomes
    left join promise_statuses using (district_id, district_student_id, school_year)
    left join student_persons using (district_id, district_student_id)
    left join any_involvement using (district_id, district_student_id, school_year)
    left join district_years using (district_id, school_year)
    left join codes as grades
        on grades.domain = 'grade' and cast(outcomes.grade as text) = grades.code
    left join codes as races
        on races.domain = 'race' and cast(outcomes.race as text) = races.code

)

select * from student_years
