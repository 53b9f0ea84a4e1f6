with

student_years as (

    select * from {{ ref('fct_student_years') }}

),

involvements as (

    select * from {{ ref('fct_student_year_involvements') }}

),

coverage as (

    select * from {{ ref('int_involvement_coverage') }}

),

grade_bands as (

    select * from {{ ref('grade_bands') }}

),

-- A column a measure: a share is the mean of zeros and ones.
measured as (

    select
        student_years.student_key,
        student_years.school_year,
        student_years.district_id,
        coalesce(cast(student_years.grade as text), 'unknown') as grade,
        coalesce(student_years.economic_status, 'unknown') as economic_status,
        groups.group_type,
        groups.group_value,
        student_years.attendance_rate,
        student_years.gpa,
        cast(student_years.is_chronically_absent_pde as integer)
            as is_chronically_absent_pde,
        cast(student_years.is_chronically_absent_federal as integer)
            as is_chronically_absent_federal,
        cast(student_years.is_proficient_math as integer) as is_proficient_math,
        cast(student_years.is_proficient_reading as integer) as is_proficient_reading,
        case
            when student_years.promise_status in ('on_track', 'eligible') then 1
            when student_years.promise_status not in ('not_applicable', 'unknown')
                then 0
        end as promise_on_track_or_eligible
    from student_years
    left join grade_bands on student_years.grade = grade_bands.grade
    cross join
        lateral (
            values
            ('all', 'all'),
            ('grade_band', grade_bands.grade_band),
            ('school', student_years.school_code),
            ('race', cast(student_years.race as text)),
            ('gender', student_years.gender),
            (
                'english_learner',
                case
                    when student_years.is_english_learner then 'yes'
                    when not student_years.is_english_learner then 'no'
                end
            ),
            ('special_education', student_years.special_education),
            ('economic_status', student_years.economic_status)
        ) as groups (group_type, group_value)
    where groups.group_value is not null

),

-- Any program counts once; a student of whom nothing is known is in no flag.
flags as (

    select
        student_key,
        school_year,
        'any' as program_group,
        involved_ever,
        involved_prior_year,
        involved_concurrent
    from student_years
    union all
    select
        student_key,
        school_year,
        program_group,
        involved_ever,
        involved_prior_year,
        involved_concurrent
    from involvements

),

involved as (

    select
        flags.student_key,
        flags.school_year,
        flags.program_group,
        definitions.involvement
    from flags
    cross join
        lateral (
            values
            ('ever', flags.involved_ever),
            ('prior_year', flags.involved_prior_year),
            ('concurrent', flags.involved_concurrent)
        ) as definitions (involvement, is_involved)
    where definitions.is_involved

),

-- Everybody stands beside the involved, so that one step counts and sums them all.
counted as (

    select * from involved
    union all
    select
        student_key,
        school_year,
        'everybody' as program_group,
        'everybody' as involvement
    from student_years

),

definitions as (

    select
        coverage.school_year,
        coverage.program_group,
        definitions.involvement,
        definitions.is_covered
    from coverage
    cross join
        lateral (
            values
            ('ever', coverage.is_ever_covered),
            ('prior_year', coverage.is_prior_year_covered),
            ('concurrent', coverage.is_concurrent_covered)
        ) as definitions (involvement, is_covered)

),

compared_definitions as (

    select * from definitions
    union all
    select
        school_year,
        'any' as program_group,
        involvement,
        bool_or(is_covered) as is_covered
    from definitions
    group by school_year, involvement

),

-- Sums are exact decimals, so that nothing is lost by subtracting them.
wide_sums as (

    select
        measured.school_year,
        measured.district_id,
        measured.grade,
        measured.economic_status,
        measured.group_type,
        measured.group_value,
        counted.program_group,
        counted.involvement,
        count(measured.attendance_rate) as attendance_n,
        sum(measured.attendance_rate) as attendance_total,
        sum(measured.attendance_rate * measured.attendance_rate) as attendance_squares,
        count(measured.gpa) as gpa_n,
        sum(measured.gpa) as gpa_total,
        sum(measured.gpa * measured.gpa) as gpa_squares,
        count(measured.is_chronically_absent_pde) as pde_n,
        sum(measured.is_chronically_absent_pde) as pde_total,
        count(measured.is_chronically_absent_federal) as federal_n,
        sum(measured.is_chronically_absent_federal) as federal_total,
        count(measured.is_proficient_math) as math_n,
        sum(measured.is_proficient_math) as math_total,
        count(measured.is_proficient_reading) as reading_n,
        sum(measured.is_proficient_reading) as reading_total,
        count(measured.promise_on_track_or_eligible) as promise_n,
        sum(measured.promise_on_track_or_eligible) as promise_total
    from measured
    inner join counted
        on
            measured.student_key = counted.student_key
            and measured.school_year = counted.school_year
    group by
        measured.school_year,
        measured.district_id,
        measured.grade,
        measured.economic_status,
        measured.group_type,
        measured.group_value,
        counted.program_group,
        counted.involvement

),

-- The square of 0 or 1 is itself.
sums as (

    select
        wide_sums.school_year,
        wide_sums.district_id,
        wide_sums.grade,
        wide_sums.economic_status,
        wide_sums.group_type,
        wide_sums.group_value,
        wide_sums.program_group,
        wide_sums.involvement,
        measures.measure,
        measures.is_proportion,
        measures.n,
        measures.total,
        measures.squares
    from wide_sums
    cross join
        lateral (
            values
            (
                'attendance_rate',
                false,
                wide_sums.attendance_n,
                wide_sums.attendance_total,
                wide_sums.attendance_squares
            ),
            (
                'gpa',
                false,
                wide_sums.gpa_n,
                wide_sums.gpa_total,
                wide_sums.gpa_squares
            ),
            (
                'is_chronically_absent_pde',
                true,
                wide_sums.pde_n,
                wide_sums.pde_total,
                wide_sums.pde_total
            ),
            (
                'is_chronically_absent_federal',
                true,
                wide_sums.federal_n,
                wide_sums.federal_total,
                wide_sums.federal_total
            ),
            (
                'is_proficient_math',
                true,
                wide_sums.math_n,
                wide_sums.math_total,
                wide_sums.math_total
            ),
            (
                'is_proficient_reading',
                true,
                wide_sums.reading_n,
                wide_sums.reading_total,
                wide_sums.reading_total
            ),
            (
                'promise_on_track_or_eligible',
                true,
                wide_sums.promise_n,
                wide_sums.promise_total,
                wide_sums.promise_total
            )
        ) as measures (measure, is_proportion, n, total, squares)
    where measures.n > 0

),

everybody as (

    select * from sums
    where program_group = 'everybody'

),

-- Not involved is everybody else, where the dates are covered, and nobody where not.
outcome_gap_strata as (

    select
        everybody.school_year,
        everybody.district_id,
        everybody.grade,
        everybody.economic_status,
        everybody.group_type,
        everybody.group_value,
        compared_definitions.program_group,
        compared_definitions.involvement,
        everybody.measure,
        everybody.is_proportion,
        coalesce(sums.n, 0) as n_involved,
        coalesce(sums.total, 0) as total_involved,
        coalesce(sums.squares, 0) as squares_involved,
        case
            when compared_definitions.is_covered
                then everybody.n - coalesce(sums.n, 0)
            else 0
        end as n_not_involved,
        case
            when compared_definitions.is_covered
                then everybody.total - coalesce(sums.total, 0)
            else 0
        end as total_not_involved,
        case
            when compared_definitions.is_covered
                then everybody.squares - coalesce(sums.squares, 0)
            else 0
        end as squares_not_involved
    from everybody
    inner join compared_definitions
        on everybody.school_year = compared_definitions.school_year
    left join sums
        on
            everybody.school_year = sums.school_year
            and everybody.district_id = sums.district_id
            and everybody.grade = sums.grade
            and everybody.economic_status = sums.economic_status
            and everybody.group_type = sums.group_type
            and everybody.group_value = sums.group_value
            and everybody.measure = sums.measure
            and compared_definitions.program_group = sums.program_group
            and compared_definitions.involvement = sums.involvement

)

select * from outcome_gap_strata
