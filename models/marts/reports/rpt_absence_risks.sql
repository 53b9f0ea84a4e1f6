with

codes as (

    select * from {{ ref('codes') }}

),

expected_days as (

    select * from {{ ref('int_expected_days') }}

),

outcomes as (

    select * from {{ ref('int_student_year_outcomes') }}

),

students as (

    select * from {{ ref('dim_students') }}

),

absence_definitions as (

    select * from {{ ref('absence_definitions') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- Limits on the days enrolled that are expected by the end of the year. The federal
-- limit is reached at its share; PDE's is exceeded only above its share.
limits as (

    select
        outcomes.*,
        students.student_key,
        students.person_id,
        expected_days.days_enrolled_expected,
        federal.threshold as federal_threshold,
        federal.threshold * expected_days.days_enrolled_expected as federal_limit,
        pde.threshold as pde_threshold,
        case
            when expected_days.days_enrolled_expected >= pde.days_enrolled_min
                then pde.threshold * expected_days.days_enrolled_expected
        end as pde_limit
    from expected_days
    inner join outcomes using (district_id, district_student_id, school_year)
    inner join students using (district_id, district_student_id)
    inner join absence_definitions as federal
        on
            federal.definition = 'federal'
            and {{ in_force('federal', 'outcomes.school_year') }}
    inner join absence_definitions as pde
        on
            pde.definition = 'pde'
            and {{ in_force('pde', 'outcomes.school_year') }}
    where outcomes.days_absent is not null

),

-- Absences are counted in half days.
absence_risks as (

    select
        limits.student_key,
        limits.person_id,
        limits.district_id,
        limits.district_student_id,
        limits.school_year,
        as_of.as_of_date,
        limits.school_code,
        limits.grade,
        grades.label as grade_label,
        cast(limits.days_enrolled as integer) as days_enrolled,
        cast(limits.days_absent as numeric(6, 2)) as days_absent,
        cast(limits.days_enrolled_expected as integer) as days_enrolled_expected,
        cast(
            limits.days_absent
            * limits.days_enrolled_expected
            / nullif(limits.days_enrolled, 0) as numeric(6, 2)
        ) as days_absent_projected,
        case
            when limits.days_enrolled > 0
                then
                    limits.days_absent
                    >= limits.federal_threshold * limits.days_enrolled
        end as is_on_course_federal,
        case
            when limits.days_enrolled > 0 and limits.pde_limit is not null
                then limits.days_absent > limits.pde_threshold * limits.days_enrolled
        end as is_on_course_pde,
        limits.days_absent >= limits.federal_limit as is_beyond_federal,
        limits.days_absent > limits.pde_limit as is_beyond_pde,
        cast(
            greatest(
                (ceil(2 * (limits.federal_limit - limits.days_absent)) - 1) / 2, 0
            ) as numeric(6, 2)
        ) as days_allowed_federal,
        case
            when limits.pde_limit is not null
                then
                    cast(
                        greatest(
                            floor(2 * (limits.pde_limit - limits.days_absent)) / 2, 0
                        ) as numeric(6, 2)
                    )
        end as days_allowed_pde
    from limits
    cross join as_of
    left join codes as grades
        on grades.domain = 'grade' and cast(limits.grade as text) = grades.code

)

select * from absence_risks
