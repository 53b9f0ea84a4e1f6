/*
What it checks: the groups of a type, such as the races, have together as many students
with and without involvement as the district, less those with an unknown group.
When it matters: always; otherwise a student is in two groups of a type, or in none, and
the gaps of the groups contradict the district's.
How to resolve it: look for the group's value in fct_student_years, and for a grade that
is missing or repeated in policy.grade_bands.
*/
with

groups as (

    select
        student_years.district_id,
        student_years.school_year,
        types.group_type,
        count(*) filter (where types.group_value is null) as students_without_group
    from {{ ref('fct_student_years') }} as student_years
    left join {{ ref('grade_bands') }} as grade_bands
        on student_years.grade = grade_bands.grade
    cross join
        lateral (
            values
            ('grade_band', grade_bands.grade_band),
            ('school', student_years.school_code),
            ('race', student_years.race::text),
            ('gender', student_years.gender),
            ('english_learner', student_years.is_english_learner::text),
            ('special_education', student_years.special_education),
            ('economic_status', student_years.economic_status)
        ) as types (group_type, group_value)
    group by
        student_years.district_id,
        student_years.school_year,
        types.group_type

),

gaps as (

    select * from {{ ref('int_outcome_gaps') }}
    where district_id <> 'all'

),

wholes as (

    select * from gaps
    where group_type = 'all'

),

readded as (

    select
        wholes.school_year,
        wholes.district_id,
        groups.group_type,
        wholes.program_group,
        wholes.involvement,
        wholes.measure,
        groups.students_without_group,
        wholes.n_involved,
        wholes.n_not_involved,
        coalesce(sum(gaps.n_involved), 0) as n_involved_of_groups,
        coalesce(sum(gaps.n_not_involved), 0) as n_not_involved_of_groups
    from wholes
    inner join groups
        on
            wholes.school_year = groups.school_year
            and wholes.district_id = groups.district_id
    left join gaps
        on
            wholes.school_year = gaps.school_year
            and wholes.district_id = gaps.district_id
            and wholes.program_group = gaps.program_group
            and wholes.involvement = gaps.involvement
            and wholes.measure = gaps.measure
            and groups.group_type = gaps.group_type
    group by
        wholes.school_year,
        wholes.district_id,
        groups.group_type,
        wholes.program_group,
        wholes.involvement,
        wholes.measure,
        groups.students_without_group,
        wholes.n_involved,
        wholes.n_not_involved

)

select * from readded
where
    n_involved_of_groups > n_involved
    or n_not_involved_of_groups > n_not_involved
    or n_involved + n_not_involved - n_involved_of_groups - n_not_involved_of_groups
    > students_without_group
