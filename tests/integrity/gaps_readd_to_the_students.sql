/*
What it checks: the counts and sums on both sides of a gap equal those of the student
facts, without the students whose involvement is unknown.
When it matters: always; a student counted twice, or on neither side, distorts the gaps.
How to resolve it: compare int_outcome_gap_strata with fct_student_years for the measure
and definition in the row; look for an involvement or a student that is listed twice.
*/
with

students as (

    select
        student_years.school_year,
        districts.district_id,
        definitions.involvement,
        measures.measure,
        count(*) filter (where definitions.is_involved) as n_involved,
        count(*) filter (where not definitions.is_involved) as n_not_involved,
        sum(measures.value) filter (where definitions.is_involved) as total_involved,
        sum(measures.value) filter (where not definitions.is_involved)
            as total_not_involved
    from {{ ref('fct_student_years') }} as student_years
    inner join {{ ref('int_student_year_measures') }} as measures
        using (student_key, school_year)
    cross join
        lateral (
            values (student_years.district_id), ('all')
        ) as districts (district_id)
    cross join
        lateral (
            values
            ('ever', student_years.involved_ever),
            ('prior_year', student_years.involved_prior_year),
            ('concurrent', student_years.involved_concurrent)
        ) as definitions (involvement, is_involved)
    group by
        student_years.school_year,
        districts.district_id,
        definitions.involvement,
        measures.measure

),

gaps as (

    select * from {{ ref('int_outcome_gaps') }}
    where group_type = 'all' and program_group = 'any'

)

select
    coalesce(students.school_year, gaps.school_year) as school_year,
    coalesce(students.district_id, gaps.district_id) as district_id,
    coalesce(students.involvement, gaps.involvement) as involvement,
    coalesce(students.measure, gaps.measure) as measure,
    students.n_involved as students_involved,
    gaps.n_involved as gap_involved,
    students.n_not_involved as students_not_involved,
    gaps.n_not_involved as gap_not_involved
from students
full join gaps
    on
        students.school_year = gaps.school_year
        and students.district_id = gaps.district_id
        and students.involvement = gaps.involvement
        and students.measure = gaps.measure
where
    students.n_involved is distinct from gaps.n_involved
    or students.n_not_involved is distinct from gaps.n_not_involved
    or abs(
        coalesce(students.total_involved, 0)
        - coalesce(gaps.n_involved * gaps.value_involved, 0)
    ) > 1e-6
    or abs(
        coalesce(students.total_not_involved, 0)
        - coalesce(gaps.n_not_involved * gaps.value_not_involved, 0)
    ) > 1e-6
