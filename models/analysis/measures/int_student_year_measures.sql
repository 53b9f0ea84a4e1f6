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
        measures.value
    from student_years
    cross join
        lateral (
            values
            ('attendance_rate', student_years.attendance_rate),
            (
                'is_chronically_absent_pde',
                student_years.is_chronically_absent_pde::int
            ),
            (
                'is_chronically_absent_federal',
                student_years.is_chronically_absent_federal::int
            ),
            ('gpa', student_years.gpa),
            ('is_proficient_math', student_years.is_proficient_math::int),
            ('is_proficient_reading', student_years.is_proficient_reading::int),
            (
                'promise_on_track_or_eligible',
                case
                    when student_years.promise_status in ('on_track', 'eligible') then 1
                    when
                        student_years.promise_status not in (
                            'not_applicable', 'unknown'
                        )
                        then 0
                end
            )
        ) as measures (measure, value)
    where measures.value is not null

)

select * from measures
