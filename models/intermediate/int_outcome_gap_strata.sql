with

student_years as (

    select * from {{ ref('fct_student_years') }}

),

involvements as (

    select * from {{ ref('fct_student_year_involvements') }}

),

grade_bands as (

    select * from {{ ref('grade_bands') }}

),

-- A column a measure: a share is the mean of zeros and ones. A stratum is numbered,
-- because numbers are sorted much faster than what they stand for.
measured as (

    select
        student_years.student_key,
        student_years.school_year,
        student_years.district_id,
        student_years.grade,
        student_years.economic_status,
        dense_rank() over (
            order by
                student_years.school_year,
                student_years.district_id,
                student_years.grade,
                student_years.economic_status
        ) as stratum,
        student_years.school_code,
        student_years.race,
        student_years.gender,
        student_years.is_english_learner,
        student_years.special_education,
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

),

strata as (

    select distinct
        measured.stratum,
        measured.school_year,
        measured.district_id,
        coalesce(cast(measured.grade as text), 'unknown') as grade,
        coalesce(measured.economic_status, 'unknown') as economic_status,
        grade_bands.grade_band
    from measured
    left join grade_bands on measured.grade = grade_bands.grade

),

-- Any program counts once.
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

-- Everybody stands beside the involved, so that one step counts and sums them all.
counted as (

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
    union all
    select
        student_key,
        school_year,
        'everybody' as program_group,
        'everybody' as involvement
    from student_years

),

-- Sums are exact decimals, so that nothing is lost by subtracting them.
wide_sums as (

    select
        measured.stratum,
        counted.program_group,
        counted.involvement,
        grouping(
            measured.school_code,
            measured.race,
            measured.gender,
            measured.is_english_learner,
            measured.special_education
        ) as left_out,
        measured.school_code,
        measured.race,
        measured.gender,
        measured.is_english_learner,
        measured.special_education,
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
        measured.stratum,
        counted.program_group,
        counted.involvement,
        grouping sets (
            (),
            (measured.school_code),
            (measured.race),
            (measured.gender),
            (measured.is_english_learner),
            (measured.special_education)
        )

),

-- A stratum lies in one grade band and economic status, so its sums are theirs, too.
-- `grouping` sets a bit for every column that the set of a row leaves out.
grouped_sums as (

    select
        wide_sums.*,
        strata.school_year,
        strata.district_id,
        strata.grade,
        strata.economic_status,
        groups.group_type,
        groups.group_value
    from wide_sums
    inner join strata on wide_sums.stratum = strata.stratum
    cross join
        lateral (
            values
            (b'11111', 'all', 'all'),
            (b'11111', 'grade_band', strata.grade_band),
            (
                b'11111',
                'economic_status',
                nullif(strata.economic_status, 'unknown')
            ),
            (b'01111', 'school', wide_sums.school_code),
            (b'10111', 'race', cast(wide_sums.race as text)),
            (b'11011', 'gender', wide_sums.gender),
            (
                b'11101',
                'english_learner',
                case
                    when wide_sums.is_english_learner then 'yes'
                    when not wide_sums.is_english_learner then 'no'
                end
            ),
            (b'11110', 'special_education', wide_sums.special_education)
        ) as groups (left_out, group_type, group_value)
    where
        cast(groups.left_out as integer) = wide_sums.left_out
        and groups.group_value is not null

),

-- The square of 0 or 1 is itself.
outcome_gap_strata as (

    select
        grouped_sums.school_year,
        grouped_sums.district_id,
        grouped_sums.grade,
        grouped_sums.economic_status,
        grouped_sums.group_type,
        grouped_sums.group_value,
        grouped_sums.program_group,
        grouped_sums.involvement,
        measures.measure,
        measures.is_proportion,
        measures.n,
        measures.total,
        measures.squares
    from grouped_sums
    cross join
        lateral (
            values
            (
                'attendance_rate',
                false,
                grouped_sums.attendance_n,
                grouped_sums.attendance_total,
                grouped_sums.attendance_squares
            ),
            (
                'gpa',
                false,
                grouped_sums.gpa_n,
                grouped_sums.gpa_total,
                grouped_sums.gpa_squares
            ),
            (
                'is_chronically_absent_pde',
                true,
                grouped_sums.pde_n,
                grouped_sums.pde_total,
                grouped_sums.pde_total
            ),
            (
                'is_chronically_absent_federal',
                true,
                grouped_sums.federal_n,
                grouped_sums.federal_total,
                grouped_sums.federal_total
            ),
            (
                'is_proficient_math',
                true,
                grouped_sums.math_n,
                grouped_sums.math_total,
                grouped_sums.math_total
            ),
            (
                'is_proficient_reading',
                true,
                grouped_sums.reading_n,
                grouped_sums.reading_total,
                grouped_sums.reading_total
            ),
            (
                'promise_on_track_or_eligible',
                true,
                grouped_sums.promise_n,
                grouped_sums.promise_total,
                grouped_sums.promise_total
            )
        ) as measures (measure, is_proportion, n, total, squares)
    where measures.n > 0

)

select * from outcome_gap_strata
