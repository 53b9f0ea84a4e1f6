with

codes as (

    select * from {{ ref('codes') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

student_years as (

    select * from {{ ref('fct_student_years') }}

),

assessments as (

    select * from {{ ref('fct_assessments') }}

),

rules as (

    select * from {{ ref('discrepancy_rules') }}

),

performance_levels as (

    select * from {{ ref('performance_levels') }}

),

-- Students with low grades to whom the rule applies.
low_grades as (

    select
        student_years.student_key,
        student_years.person_id,
        student_years.district_id,
        student_years.district_student_id,
        student_years.school_year,
        student_years.school_code,
        student_years.grade,
        student_years.gpa,
        rules.rule_id,
        rules.test,
        rules.test_years_back_max,
        rules.subjects_at_level_min,
        performance_levels.rank as lowest_rank
    from student_years
    inner join rules
        on
            student_years.grade >= rules.grade_from
            and student_years.grade <= rules.grade_to
            and student_years.gpa <= rules.gpa_max
            and {{ in_force('rules', 'student_years.school_year') }}
    inner join performance_levels on rules.lowest_level = performance_levels.level
    where
        case rules.involvement
            when 'ever' then student_years.involved_ever
            when 'prior_year' then student_years.involved_prior_year
            when 'concurrent' then student_years.involved_concurrent
        end

),

-- The newest result of each subject, from any district of the person.
newest_results as (

    select distinct on (
        low_grades.student_key,
        low_grades.school_year,
        low_grades.rule_id,
        assessments.subject
    )
        low_grades.student_key,
        low_grades.school_year,
        low_grades.rule_id,
        low_grades.lowest_rank,
        assessments.subject,
        assessments.test_year,
        assessments.level,
        performance_levels.rank
    from low_grades
    inner join assessments
        on
            low_grades.person_id = assessments.person_id
            and low_grades.test = assessments.test
            and low_grades.school_year >= assessments.test_year
            and low_grades.school_year - low_grades.test_years_back_max
            <= assessments.test_year
    inner join performance_levels using (level)
    where assessments.subject in ('math', 'reading')
    order by
        low_grades.student_key,
        low_grades.school_year,
        low_grades.rule_id,
        assessments.subject,
        assessments.test_year desc,
        performance_levels.rank desc

),

results as (

    select
        student_key,
        school_year,
        rule_id,
        max(level) filter (where subject = 'math') as math_level,
        max(test_year) filter (where subject = 'math') as math_test_year,
        max(level) filter (where subject = 'reading') as reading_level,
        max(test_year) filter (where subject = 'reading') as reading_test_year,
        count(*) filter (where rank >= lowest_rank) as subjects_at_level
    from newest_results
    group by student_key, school_year, rule_id

),

discrepancy_cohort as (

    select
        low_grades.student_key,
        low_grades.person_id,
        low_grades.district_id,
        low_grades.district_student_id,
        low_grades.school_year,
        district_years.known_through,
        district_years.is_complete_year,
        low_grades.rule_id,
        low_grades.school_code,
        low_grades.grade,
        grades.label as grade_label,
        low_grades.gpa,
        results.math_level,
        results.math_test_year,
        results.reading_level,
        results.reading_test_year
    from low_grades
    inner join results using (student_key, school_year, rule_id)
    left join district_years using (district_id, school_year)
    left join codes as grades
        on grades.domain = 'grade' and cast(low_grades.grade as text) = grades.code
    where results.subjects_at_level >= low_grades.subjects_at_level_min

)

select * from discrepancy_cohort
