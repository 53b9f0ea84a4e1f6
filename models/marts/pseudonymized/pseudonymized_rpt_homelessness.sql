with

student_years as (

    select * from {{ ref('int_student_years') }}

),

involvements as (

    select * from {{ ref('int_student_year_involvements') }}
    where program_group = 'homelessness'

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

-- Only students of whom both sides are known.
students as (

    select
        student_years.district_id,
        student_years.school_year,
        district_years.known_through,
        district_years.is_complete_year,
        student_years.is_homeless as school_says,
        involvements.involved_concurrent as department_served
    from student_years
    inner join involvements using (district_id, district_student_id, school_year)
    left join district_years using (district_id, school_year)
    where
        student_years.is_homeless is not null
        and involvements.involved_concurrent is not null

),

-- `all` is known up to the earliest day of a district that counts.
homelessness as (

    select
        coalesce(district_id, 'all') as district_id,
        school_year,
        min(known_through) as known_through,
        bool_and(is_complete_year) as is_complete_year,
        count(*) as n_students,
        count(*) filter (where school_says) as n_homeless_by_school,
        count(*) filter (where department_served) as n_served_by_department,
        count(*) filter (where school_says and department_served) as n_both,
        count(*) filter (where school_says and not department_served)
            as n_by_school_only,
        count(*) filter (where department_served and not school_says)
            as n_by_department_only
    from students
    group by grouping sets ((district_id, school_year), (school_year))

)

select * from homelessness
