with

student_years as (

    select * from {{ ref('fct_student_years') }}

),

promise_outcomes as (

    select * from {{ ref('promise_outcomes') }}

),

-- To add a measure, add its row to the seed `outcome_measures` and its line here.
measures as (

    select
        student_years.student_key,
        student_years.school_year,
        measures.measure,
        measures.value
    from student_years
    inner join promise_outcomes using (promise_status)
    cross join
        lateral (
            values
            ('attendance_rate', student_years.attendance_rate),
            (
                'is_chronically_absent_pde',
                student_years.is_chronically_absent_pde::integer
            ),
            (
                'is_chronically_absent_federal',
                student_years.is_chronically_absent_federal::integer
            ),
            ('gpa', student_years.gpa),
            ('is_proficient_math', student_years.is_proficient_math::integer),
            ('is_proficient_reading', student_years.is_proficient_reading::integer),
            ('promise_on_track_or_eligible', promise_outcomes.is_on_track::integer)
        ) as measures (measure, value)
    where measures.value is not null

)

select * from measures
