with

student_years as (

    select * from {{ ref('fct_student_years') }}

),

-- Rows with a null measure are left out.
measures as (

    select
        student_years.student_key,
        student_years.school_year,
        measures.measure,
        measures.is_proportion,
        measures.value
    from student_years
    cross join
        lateral (
            values
            ('attendance_rate', false, student_years.attendance_rate),
            (
                'is_chronically_absent_pde',
                true,
                student_years.is_chronically_absent_pde::int
            ),
            (
                'is_chronically_absent_federal',
                true,
                student_years.is_chronically_absent_federal::int
            ),
            ('gpa', false, student_years.gpa),
            ('is_proficient_math', true, student_years.is_proficient_math::int),
            ('is_proficient_reading', true, student_years.is_proficient_reading::int),
            (
                'promise_on_track_or_eligible',
                true,
                case
                    when student_years.promise_status in ('on_track', 'eligible') then 1
                    when
                        student_years.promise_status not in (
                            'not_applicable', 'unknown'
                        )
                        then 0
                end
            )
        ) as measures (measure, is_proportion, value)
    where measures.value is not null

)

select * from measures
