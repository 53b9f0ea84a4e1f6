with

student_years as (

    select * from {{ ref('int_student_years') }}

),

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

enrollment_codes as (

    select * from {{ ref('enrollment_codes') }}

),

graduation_statuses as (

    select * from {{ ref('graduation_statuses') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

student_persons as (

    select * from {{ ref('int_student_persons') }}

),

plans as (

    select * from {{ ref('codes') }}
    where domain = 'post_school_plan'

),

-- Who left in the summer is a no-show of the next school year, whose code says how the
-- year before ended.
summer_exits as (

    select
        spells.district_id,
        spells.district_student_id,
        spells.school_year - 1 as school_year,
        bool_or(enrollment_codes.is_graduation) as is_graduation,
        bool_or(enrollment_codes.leaves_cohort) as leaves_cohort
    from spells
    inner join enrollment_codes on spells.exit_code = enrollment_codes.code
    where spells.is_no_show
    group by spells.district_id, spells.district_student_id, spells.school_year

),

-- The exit code, the roster and the summer's exit may each say how a student left.
high_school_years as (

    select
        student_years.district_id,
        student_years.district_student_id,
        student_years.school_year,
        student_years.grade,
        student_years.post_school_plan,
        coalesce(enrollment_codes.is_graduation, false)
        or coalesce(graduation_statuses.is_graduation, false)
        or coalesce(summer_exits.is_graduation, false) as is_graduation,
        coalesce(enrollment_codes.leaves_cohort, false)
        or coalesce(graduation_statuses.leaves_cohort, false)
        or coalesce(summer_exits.leaves_cohort, false) as leaves_cohort
    from student_years
    left join enrollment_codes on student_years.exit_code = enrollment_codes.code
    left join graduation_statuses using (graduation_status)
    left join summer_exits using (district_id, district_student_id, school_year)
    where student_years.grade between 9 and 12

),

-- Who repeats a grade stays in the class of the first year.
first_years as (

    select distinct on (district_id, district_student_id)
        district_id,
        district_student_id,
        school_year as first_school_year,
        grade as first_grade,
        school_year + 12 - grade as class_year
    from high_school_years
    order by district_id, district_student_id, school_year

),

graduations as (

    select
        district_id,
        district_student_id,
        min(school_year) as graduation_year
    from high_school_years
    where is_graduation
    group by district_id, district_student_id

),

-- Who came back after a transfer counts again.
last_years as (

    select distinct on (district_id, district_student_id)
        district_id,
        district_student_id,
        school_year as last_school_year,
        leaves_cohort,
        post_school_plan
    from high_school_years
    order by district_id, district_student_id, school_year desc

),

members as (

    select
        first_years.district_id,
        first_years.district_student_id,
        first_years.class_year,
        first_years.first_school_year,
        first_years.first_grade,
        last_years.last_school_year,
        last_years.post_school_plan,
        graduations.graduation_year,
        graduations.graduation_year is not null
        or not last_years.leaves_cohort as is_in_cohort,
        -- A district that reported the year before would have listed a first grade 9.
        first_years.first_grade = 9
        and years_before.school_year is not null as is_known_from_grade_9,
        coalesce(class_years.is_complete_year, false) as class_year_has_ended
    from first_years
    inner join last_years using (district_id, district_student_id)
    left join graduations using (district_id, district_student_id)
    left join district_years as years_before
        on
            first_years.district_id = years_before.district_id
            and first_years.first_school_year - 1 = years_before.school_year
    left join district_years as class_years
        on
            first_years.district_id = class_years.district_id
            and first_years.class_year = class_years.school_year

),

graduation_cohorts as (

    select
        {{ student_key('members') }} as student_key,
        student_persons.person_id,
        members.district_id,
        members.district_student_id,
        members.class_year,
        members.first_school_year,
        members.first_grade,
        members.is_known_from_grade_9,
        members.last_school_year,
        members.is_in_cohort,
        members.graduation_year,
        case
            when not members.is_in_cohort then null
            when members.graduation_year <= members.class_year then true
            when members.class_year_has_ended then false
        end as is_on_time_graduate,
        members.post_school_plan,
        plans.label as post_school_plan_label
    from members
    inner join student_persons using (district_id, district_student_id)
    left join plans on members.post_school_plan = plans.code

)

select * from graduation_cohorts
